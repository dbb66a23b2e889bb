# Installs the agent of Session Manager from the package at $url, once, and what Ansible needs for copying files.
export DEBIAN_FRONTEND=noninteractive
if ! command -v curl >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends curl ca-certificates
fi
if ! dpkg-query --show amazon-ssm-agent >/dev/null 2>&1; then
    package=$(mktemp --suffix .deb)
    curl --fail --silent --show-error --location --retry 8 --retry-all-errors --output "$package" "$url"
    dpkg --install "$package"
    rm "$package"
fi
systemctl enable --quiet --now amazon-ssm-agent.service
