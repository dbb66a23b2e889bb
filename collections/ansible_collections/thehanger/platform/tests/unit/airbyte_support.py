# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an Airbyte module in this process against the fake API."""

from __future__ import annotations

import importlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.thehanger.platform.plugins.modules"


class ModuleFailed(Exception):
    def __init__(self, result):
        super().__init__(result["msg"])
        self.result = result


class Runner:
    def __init__(self, api, secrets_file, capsys):
        self.api = api
        self.secrets_file = secrets_file
        self._capsys = capsys

    def __call__(self, module_name, /, check_mode=False, **options):
        given = {"api_url": self.api.url, "client_id": "hanger", "client_secret": "right", **options}
        if module_name in ("airbyte_source", "airbyte_destination"):
            given.setdefault("secrets_file", str(self.secrets_file))
        module = importlib.import_module(f"{MODULES}.{module_name}")
        self._capsys.readouterr()
        self.api.requests.clear()
        with (
            patch_module_args({**given, "_ansible_check_mode": check_mode, "_ansible_diff": True}),
            pytest.raises(SystemExit),
        ):
            module.main()
        result = json.loads(self._capsys.readouterr().out)
        if result.get("failed"):
            raise ModuleFailed(result)
        if check_mode:
            assert self.api.writes == []
        return result
