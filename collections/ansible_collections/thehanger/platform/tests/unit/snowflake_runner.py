# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a Snowflake module in this process, and makes keys."""

from __future__ import annotations

import importlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

MODULES = "ansible_collections.thehanger.platform.plugins.modules"


class ModuleFailed(Exception):
    def __init__(self, result):
        super().__init__(result["msg"])
        self.result = result


def private_pem(key, passphrase=None):
    algorithm = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, algorithm)


def public_pem(key):
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def rsa_key(size=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def curve_key():
    return ec.generate_private_key(ec.SECP256R1())


class Runner:
    def __init__(self, account, key_file, capsys):
        self.account = account
        self.key_file = key_file
        self._capsys = capsys

    def __call__(self, module_name, /, check_mode=False, **options):
        given = {"account": "myorg-gym", "user": "PROVISIONER", "private_key_path": str(self.key_file), **options}
        module = importlib.import_module(f"{MODULES}.{module_name}")
        self._capsys.readouterr()
        self.account.statements.clear()
        given |= {"_ansible_check_mode": check_mode, "_ansible_diff": True, "_ansible_module_name": module_name}
        with (
            patch_module_args(given),
            pytest.raises(SystemExit),
        ):
            module.main()
        result = json.loads(self._capsys.readouterr().out)
        if check_mode or module_name == "snowflake_query":
            assert self.account.writes == []
        if result.get("failed"):
            raise ModuleFailed(result)
        return result
