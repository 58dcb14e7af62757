# Building Kubernetes from its GOPATH, static and stamped with its version.
# shellcheck shell=bash

# shellcheck disable=SC2164 # stages run with errexit
kubernetes_environment() {
    cd "$(stage_out kubernetes-source)/src/k8s.io/kubernetes"
    # Debian's own Go, whatever else the machine has: 1.20.2 is too old for the newest.
    export PATH=/usr/lib/go-1.19/bin:$PATH GOROOT=''
    # The cache of compiled packages is what lets an interrupted build go on where it was.
    export GOPATH=${PWD%/src/k8s.io/kubernetes} GO111MODULE=off CGO_ENABLED=0 GOFLAGS='' GOCACHE=$KFLEET_LAB_DIR/go-cache
}

# kubernetes_overlay FILE PATH: for the builds that follow, FILE stands in the tree at PATH, without being written there.
kubernetes_overlay() {
    local tree
    tree=$(stage_out kubernetes-source)/src/k8s.io/kubernetes
    printf '{"Replace": {"%s": "%s"}}\n' "$tree/$2" "$1" >"$OUT/../overlay.json"
    KUBERNETES_OVERLAY=$OUT/../overlay.json
}

kubernetes_build() { # kubernetes_build OUTDIR PACKAGE…
    local to=$1 package flags=() stamp
    shift
    for stamp in gitVersion=$LAB_KUBERNETES gitMajor=1 gitMinor=20 gitTreeState=archive; do
        flags+=(-X "k8s.io/kubernetes/vendor/k8s.io/component-base/version.$stamp"
            -X "k8s.io/kubernetes/vendor/k8s.io/client-go/pkg/version.$stamp")
    done
    kubernetes_environment
    mkdir -p "$to"
    for package in "$@"; do
        go build -trimpath ${KUBERNETES_OVERLAY:+-overlay="$KUBERNETES_OVERLAY"} -ldflags "-s -w ${flags[*]}" -o "$to/${package##*/}" "./$package"
    done
}
