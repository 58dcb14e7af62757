# Compiling the stand-ins written in Go.
# shellcheck shell=bash

# kubernetes_stand_in OUT NAME: stand-ins/NAME.go compiled with Kubernetes' own vendored libraries.
kubernetes_stand_in() {
    kubernetes_overlay "$LAB_SCRIPTS/stand-ins/$2.go" "cmd/kfleet-lab-$2/main.go"
    kubernetes_environment
    go build -trimpath -overlay "$KUBERNETES_OVERLAY" -ldflags '-s -w' -o "$1" "./cmd/kfleet-lab-$2"
}
