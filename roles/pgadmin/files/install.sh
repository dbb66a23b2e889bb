# Makes a virtual environment with what the locks pin. uv, which is far faster than pip, installs and does not stay.
set -eu
python3 -m venv --clear "$1"
"$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile --no-deps \
    --require-hashes --requirement "$1.installer.txt"
UV_SYSTEM_CERTS=1 "$1/bin/uv" pip sync --quiet --no-cache --require-hashes --compile-bytecode \
    --python "$1/bin/python" "$1.requirements.txt"
"$1/bin/uv" pip uninstall --quiet --python "$1/bin/python" pip uv
rm -f "$1.installer.txt" "$1.requirements.txt"
touch "$1/.complete"
