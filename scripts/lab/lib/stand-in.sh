# Compiling the stand-ins written in Go.
# shellcheck shell=bash

# kubernetes_stand_in OUT NAME: stand-ins/NAME.go compiled with Kubernetes' own vendored libraries. The overlay puts it into
# that tree without writing there.
kubernetes_stand_in() {
    local to=$1 name=$2 tree overlay=$OUT/../overlay.json
    tree=$(stage_out kubernetes-source)/src/k8s.io/kubernetes
    printf '{"Replace": {"%s": "%s"}}\n' "$tree/cmd/kfleet-lab-$name/main.go" "$LAB_SCRIPTS/stand-ins/$name.go" >"$overlay"
    kubernetes_environment
    go build -trimpath -ldflags '-s -w' -overlay "$overlay" -o "$to" "./cmd/kfleet-lab-$name"
    rm "$overlay"
}
