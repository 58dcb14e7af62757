# Stages: a stage is a script in stages/ that fills the directory $OUT.
#
# Its first lines may say
#     # needs: STAGE…     stages whose output it reads, at "$(stage_out STAGE)"
#     # reads: FILE…      files, relative to scripts/lab, that are part of its recipe
# Its key is the hash of its own text, of those files and of the keys of those stages: a changed stand-in rebuilds its
# own layer and what is made from it, and nothing else. It works in NAME.new, which is renamed when whole, so an
# interrupt never leaves half a stage.
# shellcheck shell=bash

stage_out() { printf '%s/%s/out' "$LAB_STAGES" "$1"; }

# The files that make up a stage's recipe, of it and of all it needs; each stage's list is made once.
declare -A STAGE_RECIPES
stage_recipe() { # sets STAGE_RECIPES[STAGE]
    [ -z "${STAGE_RECIPES[$1]:-}" ] || return 0
    local line word files=$LAB_SCRIPTS/stages/$1
    while IFS= read -r line && [[ $line == '#'* ]]; do
        case $line in
            '# needs: '*)
                for word in ${line#*: }; do
                    stage_recipe "$word"
                    files+=$'\n'${STAGE_RECIPES[$word]}
                done
                ;;
            '# reads: '*)
                for word in ${line#*: }; do
                    word=$LAB_SCRIPTS/$word
                    [ ! -d "$word" ] || word=$(find "$word" -type f)
                    files+=$'\n'$word
                done
                ;;
        esac
    done <"$LAB_SCRIPTS/stages/$1"
    STAGE_RECIPES[$1]=$files
}

stage_key() {
    # Whole-line comments do not count: a better explanation is no reason to compile Kubernetes again.
    stage_recipe "$1"
    sort -u <<<"${STAGE_RECIPES[$1]}" | xargs grep -hv '^[[:space:]]*#' | sha256sum | cut -c1-64
}

stage_is_built() { [ "$(cat "$LAB_STAGES/$1/key" 2>/dev/null)" = "$(stage_key "$1")" ]; }

# Runs a stage unless it is there already, and prints one line about it.
stage() {
    local name=$1 work=$LAB_STAGES/$1.new log=$LAB_STAGES/$1.log start=$SECONDS
    if stage_is_built "$name"; then
        printf '%-28s cached\n' "$name"
        return
    fi
    mkdir -p "$LAB_STAGES"
    rm -rf "$work"
    mkdir -p "$work/out"
    # A stage is a process of its own with errexit on; nothing it sets leaks into the next.
    if ! OUT=$work/out KFLEET_LAB_DIR=$KFLEET_LAB_DIR bash -euo pipefail \
        -c 'source "$1/lib/all.sh"; source "$1/stages/$2"' stage "$LAB_SCRIPTS" "$name" >"$log" 2>&1 </dev/null; then
        printf '%-28s FAILED after %s s; the end of %s:\n' "$name" $((SECONDS - start)) "$log" >&2
        tail -n 30 "$log" >&2
        exit 1
    fi
    stage_key "$name" >"$work/key"
    rm -rf "${LAB_STAGES:?}/$name"
    mv "$work" "$LAB_STAGES/$name"
    printf '%-28s %s s\n' "$name" $((SECONDS - start))
}
