# shellcheck shell=bash
# Programs that outlive the shell, found again by process id and start time (a number that was used again is nobody's).
# Read by deploy/quickstart; PIDS is the folder that remembers them.

process_start_time() { # pid -> the kernel's start tick; empty when there is none (or only its remains)
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # Behind the name in brackets, which may hold anything: state is field 1, start time field 20.
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" = Z ] || echo "${20}"
}

process_id() { # name -> its pid while it runs, empty otherwise
    local pid tick
    read -r pid tick 2>/dev/null <"$PIDS/$1" || return 0
    if [ -n "$tick" ] && [ "$(process_start_time "$pid")" = "$tick" ]; then
        echo "$pid"
    fi
}

process_start() { # name log command… : detached from this shell and its terminal
    local name=$1 log=$2 pid
    shift 2
    setsid "$@" </dev/null >>"$log" 2>&1 &
    pid=$!
    disown "$pid"
    echo "$pid $(process_start_time "$pid")" >"$PIDS/$name"
}

process_stop() { # name [seconds until SIGKILL]
    local pid waited=0
    pid=$(process_id "$1")
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null
        while [ -n "$(process_id "$1")" ]; do
            sleep 0.1
            waited=$((waited + 1))
            [ $waited -lt $((${2:-15} * 10)) ] || kill -KILL "$pid" 2>/dev/null
        done
    fi
    rm -f "$PIDS/$1"
}
