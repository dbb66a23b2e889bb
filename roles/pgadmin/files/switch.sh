# Puts a release in the place of the one in use, with a migrated copy of the configuration database; puts the former
# one back when the new one does not answer. Arguments: release, program of state.py, URL; its input on standard input.
set -eu
home=/opt/pgadmin
database=/var/lib/pgadmin/pgadmin4.db
backup=/var/lib/pgadmin/backups/before-$1.db
former=$(readlink "$home/current" || true)
state=$(cat)
replaced=

point_to() {
    ln -sfn "$1" "$home/current.new"
    mv -T "$home/current.new" "$home/current"
}

finish() {
    code=$?
    [ "$code" != 0 ] || return 0
    rm -f "$database.next"
    [ -n "$former" ] || exit "$code"
    if [ -n "$replaced" ]; then
        systemctl stop pgadmin.service
        [ ! -e "$backup" ] || cp -p "$backup" "$database"
        point_to "$former"
    fi
    systemctl start pgadmin.service
    exit "$code"
}

systemctl daemon-reload
trap finish EXIT
trap 'exit 1' HUP INT TERM
systemctl stop pgadmin.service
cd /
printf %s "$state" | runuser --user pgadmin -- "$home/releases/$1/bin/python" -c "$2"
[ ! -e "$database" ] || cp -p "$database" "$backup"
replaced=yes
mv "$database.next" "$database"
point_to "releases/$1"
systemctl start pgadmin.service
for attempt in $(seq 60); do
    "$home/current/bin/python" -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=5)' "$3" 2>/dev/null && break
    [ "$attempt" != 60 ] || { echo "pgAdmin $1 does not answer at $3: journalctl -u pgadmin" >&2; exit 1; }
    sleep 0.5
done
find "$home/releases" -mindepth 1 -maxdepth 1 ! -name "$1" ! -path "$home/$former" -exec rm -rf {} +
ls -t /var/lib/pgadmin/backups/*.db 2>/dev/null | tail -n +4 | xargs -r rm --
