// A stand-in for cri-tools' crictl, which is not in Debian 12.
//
// The contract it keeps: the commands that kubeadm 1.20 calls, with their arguments and exit codes, asked of the runtime
// over CRI itself: info, inspecti, pull, pods -q, stopp, rmp; and for people images, ps, pods and version. Like crictl it
// takes the socket from -r, CONTAINER_RUNTIME_ENDPOINT or /etc/crictl.yaml. Its tables are plainer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis"
	api "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
	"k8s.io/kubernetes/pkg/kubelet/cri/remote"
)

const deadline = 30 * time.Second

func main() {
	endpoint, words, quiet, all := parse(os.Args[1:])
	if len(words) == 0 {
		fail("usage: crictl [-r ENDPOINT] info|version|images|inspecti|pull|pods|ps|stopp|rmp …")
	}
	runtime, err := remote.NewRemoteRuntimeService(endpoint, deadline)
	check(err)
	images, err := remote.NewRemoteImageService(endpoint, deadline)
	check(err)
	names := words[1:]

	switch words[0] {
	case "info":
		status, err := runtime.Status()
		check(err)
		show(map[string]interface{}{"status": status})
	case "version":
		version, err := runtime.Version("0.1.0")
		check(err)
		fmt.Printf("Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
			version.Version, version.RuntimeName, version.RuntimeVersion, version.RuntimeApiVersion)
	case "images":
		listImages(images, quiet)
	case "inspecti":
		for _, name := range need(names) {
			image, err := images.ImageStatus(&api.ImageSpec{Image: name})
			check(err)
			if image == nil {
				fail("no such image %q present", name)
			}
			show(map[string]interface{}{"status": image})
		}
	case "pull":
		for _, name := range need(names) {
			id, err := images.PullImage(&api.ImageSpec{Image: name}, nil, nil)
			check(err)
			fmt.Printf("Image is up to date for %s\n", id)
		}
	case "pods":
		listPods(runtime, quiet)
	case "ps":
		listContainers(runtime, quiet, all)
	case "stopp":
		for _, id := range need(names) {
			check(runtime.StopPodSandbox(id))
			fmt.Printf("Stopped sandbox %s\n", id)
		}
	case "rmp":
		for _, id := range need(names) {
			check(runtime.RemovePodSandbox(id))
			fmt.Printf("Removed sandbox %s\n", id)
		}
	default:
		fail("this stand-in for crictl does not know %q", words[0])
	}
}

func parse(args []string) (endpoint string, words []string, quiet, all bool) {
	endpoint = os.Getenv("CONTAINER_RUNTIME_ENDPOINT")
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; arg {
		case "-r", "--runtime-endpoint":
			i++
			if i == len(args) {
				fail("%s needs an endpoint", arg)
			}
			endpoint = args[i]
		case "-q", "--quiet":
			quiet = true
		case "-a", "--all":
			all = true
		default:
			if strings.HasPrefix(arg, "-") {
				fail("this stand-in for crictl does not know %q", arg)
			}
			words = append(words, arg)
		}
	}
	if endpoint == "" {
		endpoint = configured("/etc/crictl.yaml")
	}
	if strings.HasPrefix(endpoint, "/") {
		endpoint = "unix://" + endpoint
	}
	return endpoint, words, quiet, all
}

// configured reads the one line of crictl.yaml that matters here.
func configured(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unix:///run/containerd/containerd.sock"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value := strings.TrimPrefix(lines.Text(), "runtime-endpoint:"); value != lines.Text() {
			return strings.Trim(value, " \"'")
		}
	}
	return "unix:///run/containerd/containerd.sock"
}

func listImages(images cri.ImageManagerService, quiet bool) {
	list, err := images.ListImages(nil)
	check(err)
	for _, image := range list {
		if quiet {
			fmt.Println(image.Id)
			continue
		}
		for _, tag := range image.RepoTags {
			fmt.Printf("%-55s %.20s %d\n", tag, image.Id, image.Size_)
		}
	}
}

func listPods(runtime cri.RuntimeService, quiet bool) {
	list, err := runtime.ListPodSandbox(nil)
	check(err)
	for _, pod := range list {
		if quiet {
			fmt.Println(pod.Id)
			continue
		}
		fmt.Printf("%.13s  %-10s %-15s %s\n", pod.Id, strings.TrimPrefix(pod.State.String(), "SANDBOX_"),
			pod.Metadata.Namespace, pod.Metadata.Name)
	}
}

func listContainers(runtime cri.RuntimeService, quiet, all bool) {
	filter := &api.ContainerFilter{State: &api.ContainerStateValue{State: api.ContainerState_CONTAINER_RUNNING}}
	if all {
		filter = nil
	}
	list, err := runtime.ListContainers(filter)
	check(err)
	for _, container := range list {
		if quiet {
			fmt.Println(container.Id)
			continue
		}
		fmt.Printf("%.13s  %-10s %-25s attempt %d  pod %s\n", container.Id,
			strings.TrimPrefix(container.State.String(), "CONTAINER_"), container.Metadata.Name, container.Metadata.Attempt,
			container.Labels["io.kubernetes.pod.name"])
	}
}

func need(names []string) []string {
	if len(names) == 0 {
		fail("an ID or a name is needed")
	}
	return names
}

func show(value interface{}) {
	text, err := json.MarshalIndent(value, "", "  ")
	check(err)
	fmt.Println(string(text))
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "FATA "+format+"\n", args...)
	os.Exit(1)
}
