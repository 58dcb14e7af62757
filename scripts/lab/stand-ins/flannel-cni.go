// A stand-in for flannel's CNI plugin, which left containernetworking-plugins before Debian 12.
//
// The contract it keeps: reads the subnet file that flanneld wrote (FLANNEL_NETWORK, FLANNEL_SUBNET, FLANNEL_MTU,
// FLANNEL_IPMASQ), delegates to another plugin, bridge unless told otherwise, with host-local addresses from that subnet
// and a route to the whole pod network, and keeps the delegated configuration in /var/lib/cni/flannel for the removal.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type object = map[string]interface{}

func main() {
	command := os.Getenv("CNI_COMMAND")
	if command == "VERSION" {
		fmt.Println(`{"cniVersion":"0.3.1","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0"]}`)
		return
	}
	input, err := ioutil.ReadAll(os.Stdin)
	check(err)
	var config struct {
		CNIVersion    string
		Name          string
		SubnetFile    string
		DataDir       string
		Delegate      object
		RuntimeConfig object
	}
	check(json.Unmarshal(input, &config))
	if config.SubnetFile == "" {
		config.SubnetFile = "/run/flannel/subnet.env"
	}
	if config.DataDir == "" {
		config.DataDir = "/var/lib/cni/flannel"
	}
	kept := filepath.Join(config.DataDir, os.Getenv("CNI_CONTAINERID"))

	switch command {
	case "ADD":
		delegate := config.Delegate
		if delegate == nil {
			delegate = object{}
		}
		fill(delegate, subnet(config.SubnetFile))
		delegate["name"] = config.Name
		delegate["cniVersion"] = config.CNIVersion
		if config.RuntimeConfig != nil {
			delegate["runtimeConfig"] = config.RuntimeConfig
		}
		text, err := json.Marshal(delegate)
		check(err)
		check(os.MkdirAll(config.DataDir, 0700))
		check(ioutil.WriteFile(kept, text, 0600))
		run(text)
	case "DEL":
		text, err := ioutil.ReadFile(kept)
		if os.IsNotExist(err) {
			return // removed before, which is no error
		}
		check(err)
		run(text)
		os.Remove(kept)
	case "CHECK":
		text, err := ioutil.ReadFile(kept)
		check(err)
		run(text)
	}
}

// subnet reads flanneld's file of NAME=VALUE lines.
func subnet(path string) map[string]string {
	text, err := ioutil.ReadFile(path)
	if err != nil {
		check(fmt.Errorf("loadFlannelSubnetEnv failed: %v", err))
	}
	values := map[string]string{}
	for _, line := range strings.Fields(string(text)) {
		if parts := strings.SplitN(line, "=", 2); len(parts) == 2 {
			values[parts[0]] = parts[1]
		}
	}
	return values
}

// fill gives the delegate what it does not say itself.
func fill(delegate object, subnet map[string]string) {
	missing := func(key string, value interface{}) {
		if _, there := delegate[key]; !there {
			delegate[key] = value
		}
	}
	missing("type", "bridge")
	missing("ipMasq", subnet["FLANNEL_IPMASQ"] != "true")
	var mtu int
	if _, err := fmt.Sscan(subnet["FLANNEL_MTU"], &mtu); err == nil {
		missing("mtu", mtu)
	}
	if delegate["type"] == "bridge" {
		missing("isGateway", true)
	}
	delegate["ipam"] = object{
		"type":   "host-local",
		"ranges": []interface{}{[]interface{}{object{"subnet": network(subnet["FLANNEL_SUBNET"])}}},
		"routes": []interface{}{object{"dst": subnet["FLANNEL_NETWORK"]}},
	}
}

// network turns the gateway's address (10.244.1.1/24) into its network, which is how host-local wants it.
func network(cidr string) string {
	parts := strings.SplitN(cidr, "/", 2)
	if len(parts) == 2 && parts[1] == "24" {
		return parts[0][:strings.LastIndex(parts[0], ".")] + ".0/24"
	}
	return cidr
}

// run calls the delegate as the runtime called this plugin: same environment, its own configuration.
func run(config []byte) {
	var named struct{ Type string }
	check(json.Unmarshal(config, &named))
	for _, directory := range filepath.SplitList(os.Getenv("CNI_PATH")) {
		path := filepath.Join(directory, named.Type)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		plugin := exec.Command(path)
		plugin.Stdin, plugin.Stdout, plugin.Stderr = bytes.NewReader(config), os.Stdout, os.Stderr
		if plugin.Run() != nil {
			os.Exit(1) // it has said why on standard output, as the protocol wants
		}
		return
	}
	check(fmt.Errorf("failed to find plugin %q in path %s", named.Type, os.Getenv("CNI_PATH")))
}

// check reports an error in the protocol's own form.
func check(err error) {
	if err != nil {
		text, _ := json.Marshal(object{"cniVersion": "0.3.1", "code": 100, "msg": err.Error()})
		fmt.Println(string(text))
		os.Exit(1)
	}
}
