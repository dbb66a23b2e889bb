"""Stand in for the pip bootstrap that ansible-test downloads: pip from the standard library, packages from the index.

Copied to ~/.ansible/test/cache under the name ansible-core asks for. ensurepip runs in a process of its own, because it
clears the PIP_* variables of its environment, and with them a configured index.
"""

import subprocess
import sys

NOT_FOR_PIP = ("--no-setuptools", "--no-wheel")

if __name__ == "__main__":
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    wanted = [argument for argument in sys.argv[1:] if argument not in NOT_FOR_PIP]
    sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=False).returncode)
