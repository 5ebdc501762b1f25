# Runs one throw-away Postgres. $1: its directory; $2: the programs' directory; the rest: the
# server's arguments. Standard input is a pipe that the owner keeps open: when it closes (stop,
# drop, or death of the owner however violent) the server is ended and the directory removed.
umask 077
trap '' HUP INT TERM
directory=$1 binaries=$2
shift 2
log=$directory/log
exec 3<&0 </dev/null >/dev/null 2>&1

"$binaries/initdb" -D "$directory/data" -U fleet -E UTF8 --locale=C --no-sync --no-instructions \
    --auth=scram-sha-256 --pwfile="$directory/password" >"$log" 2>&1 3<&-
made=$?
rm -f "$directory/password"

if [ "$made" = 0 ]; then
    "$binaries/postgres" -D "$directory/data" "$@" >"$log" 2>&1 3<&- &
    server=$!
    {
        cat <&3
        tries=0
        while [ ! -e "$directory/ended" ]; do
            # About 1 s of fast shutdown, which ends with a checkpoint that nobody will read, 5 s of
            # immediate shutdown, then no more asking.
            if [ "$tries" -lt 40 ]; then signal=INT
            elif [ "$tries" -lt 240 ]; then signal=QUIT
            else signal=KILL
            fi
            kill -s "$signal" "$server" || break
            tries=$((tries + 1))
            sleep 0.02
        done
    } &
    wait "$server"
    : >"$directory/ended"
    wait
else
    : >"$directory/ended"
    cat <&3
fi
cd /
rm -rf "$directory" || { sleep 1; rm -rf "$directory"; }
