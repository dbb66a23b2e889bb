# Tells what is there: the release in use, whether the wanted one is installed, and who listens on the port.
echo "current=$(basename "$(readlink /opt/pgadmin/current)" 2>/dev/null)"
[ ! -e "/opt/pgadmin/releases/$1/.complete" ] || echo installed=yes
[ ! -e /var/lib/pgadmin/pgadmin4.db ] || echo database=yes
ss -Hltnpe "sport = :$2" | sed 's/^/listener=/'
echo "own=$(id -u pgadmin 2>/dev/null)"
