# Where the lab keeps things. Sourced by every script of the lab.
# shellcheck shell=bash disable=SC2034  # the variables are for the scripts that source this

LAB_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One directory for everything, outside the repository.
KFLEET_LAB_DIR=${KFLEET_LAB_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kfleet-lab}
# Two labs with different names run side by side.
KFLEET_LAB_NAME=${KFLEET_LAB_NAME:-lab}

LAB_STAGES=$KFLEET_LAB_DIR/stages      # what `build` made: one directory a stage
LAB_STORE=$KFLEET_LAB_DIR/store        # trees of hosts; see store.sh
LAB_RUN=$KFLEET_LAB_DIR/run/$KFLEET_LAB_NAME
LAB_NETNS=kfleet-$KFLEET_LAB_NAME

LAB_KUBERNETES=v1.20.2

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
