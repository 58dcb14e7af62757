// A stand-in for k8s.gcr.io/pause:3.2, which is not in Debian.
//
// The contract it keeps: process 1 of a pod's sandbox waits until it is told to stop (SIGINT or SIGTERM, exit 0), and
// reaps what is orphaned to it when the pod shares its process namespace.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
	}
}
