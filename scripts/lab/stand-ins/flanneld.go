// A stand-in for flanneld, which is not in Debian: VXLAN between the nodes, Kubernetes as its store (--kube-subnet-mgr).
//
// The contract it keeps: reads /etc/kube-flannel/net-conf.json; finds its Node through its service account and exits with
// flannel's own message when that has no pod CIDR; makes the kernel's VXLAN device flannel.1 (id 1, port 8472, no
// learning) on the interface given by --iface or the one of the default route; writes flannel's annotations on the Node
// and reads the others'; keeps a route, a neighbour and a forwarding entry for each; writes /run/flannel/subnet.env; with
// --ip-masq, masquerades what leaves the pod network. Other backends than vxlan and options than these are refused.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	configuration = "/etc/kube-flannel/net-conf.json"
	subnetFile    = "/run/flannel/subnet.env"
	annotations   = "flannel.alpha.coreos.com/"
	overhead      = 50 // of VXLAN over IPv4, in bytes
)

type options struct {
	masquerade bool
	interfaces []string
}

type network struct {
	Network string
	Backend struct {
		Type string
		VNI  int
		Port int
	}
}

func main() {
	options := parse(os.Args[1:])
	wanted := readConfiguration()
	link, address := external(options.interfaces)
	klog.Infof("Using interface with name %s and address %s", link.Attrs().Name, address)

	config, err := rest.InClusterConfig()
	check(err, "Failed to create SubnetManager: unable to create in-cluster config")
	client, err := kubernetes.NewForConfig(config)
	check(err, "Failed to create SubnetManager: unable to initialize client")

	name := nodeName(client)
	node, err := client.CoreV1().Nodes().Get(context.TODO(), name, metav1.GetOptions{})
	check(err, "Failed to create SubnetManager: error retrieving node %q", name)
	if node.Spec.PodCIDR == "" {
		klog.Exitf("Error registering network: failed to acquire lease: node %q pod cidr not assigned", name)
	}
	_, subnet, err := net.ParseCIDR(node.Spec.PodCIDR)
	check(err, "Error registering network: failed to acquire lease")

	device := vxlan(wanted, link, address, subnet)
	announce(client, name, device, address)
	if options.masquerade {
		keepMasquerading(wanted.Network, subnet.String())
	}
	writeSubnet(wanted.Network, subnet, device.MTU, options.masquerade)
	klog.Info("Running backend.")
	follow(client, name, device)
}

func parse(args []string) options {
	var result options
	for i := 0; i < len(args); i++ {
		name, value := args[i], ""
		if cut := strings.Index(name, "="); cut >= 0 {
			name, value = name[:cut], name[cut+1:]
		}
		switch strings.TrimLeft(name, "-") {
		case "ip-masq":
			result.masquerade = value != "false"
		case "kube-subnet-mgr", "v":
		case "iface":
			if value == "" && i+1 < len(args) {
				i++
				value = args[i]
			}
			result.interfaces = append(result.interfaces, value)
		default:
			klog.Exitf("this stand-in for flanneld does not know %s", args[i])
		}
	}
	return result
}

func readConfiguration() network {
	var wanted network
	text, err := ioutil.ReadFile(configuration)
	check(err, "Failed to create SubnetManager: failed to read net conf")
	check(json.Unmarshal(text, &wanted), "Failed to create SubnetManager: error parsing subnet config")
	if wanted.Backend.Type != "vxlan" {
		klog.Exitf("this stand-in for flanneld has no backend %q", wanted.Backend.Type)
	}
	if wanted.Backend.VNI == 0 {
		wanted.Backend.VNI = 1
	}
	if wanted.Backend.Port == 0 {
		wanted.Backend.Port = 8472
	}
	_, _, err = net.ParseCIDR(wanted.Network)
	check(err, "Failed to create SubnetManager: error parsing subnet config")
	return wanted
}

// external finds the interface that other nodes are reached by: a named one (by name or address), or the default route's.
func external(names []string) (netlink.Link, net.IP) {
	links, err := netlink.LinkList()
	check(err, "Failed to list interfaces")
	for _, name := range names {
		for _, link := range links {
			if address := firstAddress(link, net.ParseIP(name)); address != nil &&
				(link.Attrs().Name == name || net.ParseIP(name) != nil) {
				return link, address
			}
		}
		klog.Infof("Could not find valid interface matching %s", name)
	}
	if len(names) > 0 {
		klog.Exitf("Failed to find interface to use that matches the interfaces and/or regexes provided")
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	check(err, "Failed to get default interface")
	for _, route := range routes {
		if route.Dst == nil || route.Dst.String() == "0.0.0.0/0" {
			link, err := netlink.LinkByIndex(route.LinkIndex)
			check(err, "Failed to get default interface")
			if address := firstAddress(link, nil); address != nil {
				return link, address
			}
		}
	}
	klog.Exitf("Failed to find any valid interface to use: failed to get default interface: unable to find default route")
	return nil, nil
}

// firstAddress gives an interface's first IPv4 address, or the wanted one if it has that.
func firstAddress(link netlink.Link, wanted net.IP) net.IP {
	list, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return nil
	}
	for _, one := range list {
		if wanted == nil || one.IP.Equal(wanted) {
			return one.IP
		}
	}
	return nil
}

// nodeName asks the pod that this runs in, as flanneld does.
func nodeName(client kubernetes.Interface) string {
	if name := os.Getenv("NODE_NAME"); name != "" {
		return name
	}
	pod, space := os.Getenv("POD_NAME"), os.Getenv("POD_NAMESPACE")
	if pod == "" || space == "" {
		klog.Exitf("Failed to create SubnetManager: env variables POD_NAME and POD_NAMESPACE must be set")
	}
	var last error
	for attempt := 0; attempt < 10; attempt++ {
		found, err := client.CoreV1().Pods(space).Get(context.TODO(), pod, metav1.GetOptions{})
		if err == nil {
			return found.Spec.NodeName
		}
		last = err
		time.Sleep(time.Second)
	}
	klog.Exitf("Failed to create SubnetManager: error retrieving pod spec for '%s/%s': %v", space, pod, last)
	return ""
}

// vxlan makes the device, or makes it again when one is there that differs.
func vxlan(wanted network, parent netlink.Link, address net.IP, subnet *net.IPNet) *netlink.Vxlan {
	name := fmt.Sprintf("flannel.%d", wanted.Backend.VNI)
	device := &netlink.Vxlan{
		LinkAttrs:    netlink.LinkAttrs{Name: name, MTU: parent.Attrs().MTU - overhead},
		VxlanId:      wanted.Backend.VNI,
		VtepDevIndex: parent.Attrs().Index,
		SrcAddr:      address,
		Port:         wanted.Backend.Port,
		Learning:     false,
	}
	if found, err := netlink.LinkByName(name); err == nil {
		there, fits := found.(*netlink.Vxlan)
		if fits && there.VxlanId == device.VxlanId && there.VtepDevIndex == device.VtepDevIndex &&
			there.SrcAddr.Equal(address) && there.Port == device.Port {
			device = there
		} else {
			klog.Infof("%q already exists with incompatible configuration; recreating device", name)
			check(netlink.LinkDel(found), "Error registering network: failed to delete interface")
		}
	}
	if device.Index == 0 {
		check(netlink.LinkAdd(device), "Error registering network: failed to create %s", name)
		found, err := netlink.LinkByName(name)
		check(err, "Error registering network: %s", name)
		device = found.(*netlink.Vxlan)
	}
	own := &netlink.Addr{IPNet: &net.IPNet{IP: subnet.IP, Mask: net.CIDRMask(32, 32)}}
	check(netlink.AddrReplace(device, own), "Error registering network: failed to add address to %s", name)
	check(netlink.LinkSetUp(device), "Error registering network: failed to set %s up", name)
	device.MTU = parent.Attrs().MTU - overhead
	return device
}

// announce writes on the Node what the others need to reach it.
func announce(client kubernetes.Interface, name string, device *netlink.Vxlan, address net.IP) {
	patch, err := json.Marshal(map[string]interface{}{"metadata": map[string]interface{}{"annotations": map[string]string{
		annotations + "backend-data":        fmt.Sprintf(`{"VNI":%d,"VtepMAC":"%s"}`, device.VxlanId, device.HardwareAddr),
		annotations + "backend-type":        "vxlan",
		annotations + "kube-subnet-manager": "true",
		annotations + "public-ip":           address.String(),
	}}})
	check(err, "annotations")
	_, err = client.CoreV1().Nodes().Patch(context.TODO(), name, types.StrategicMergePatchType, patch,
		metav1.PatchOptions{}, "status")
	check(err, "Error registering network: failed to acquire lease")
}

// follow keeps the entries for the other nodes in step with the API, for ever.
func follow(client kubernetes.Interface, self string, device *netlink.Vxlan) {
	known := map[string]func(){}
	change := func(item interface{}) {
		node := item.(*v1.Node)
		if node.Name == self {
			return
		}
		if forget := known[node.Name]; forget != nil {
			forget()
			delete(known, node.Name)
		}
		if forget := learn(node, device); forget != nil {
			known[node.Name] = forget
		}
	}
	factory := informers.NewSharedInformerFactory(client, 5*time.Minute)
	factory.Core().V1().Nodes().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: change,
		UpdateFunc: func(before, after interface{}) {
			if described(before.(*v1.Node)) != described(after.(*v1.Node)) {
				change(after)
			}
		},
		DeleteFunc: func(item interface{}) {
			if gone, unseen := item.(cache.DeletedFinalStateUnknown); unseen {
				item = gone.Obj
			}
			if node, is := item.(*v1.Node); is && known[node.Name] != nil {
				known[node.Name]()
				delete(known, node.Name)
			}
		},
	})
	factory.Start(nil)
	select {}
}

// described is what of a Node matters to the others.
func described(node *v1.Node) string {
	return node.Spec.PodCIDR + node.Annotations[annotations+"public-ip"] + node.Annotations[annotations+"backend-data"]
}

// learn adds the entries for one node and returns how to remove them; nil when the node has not announced itself.
func learn(node *v1.Node, device *netlink.Vxlan) func() {
	var data struct{ VtepMAC string }
	address := net.ParseIP(node.Annotations[annotations+"public-ip"])
	_, subnet, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil || address == nil || json.Unmarshal([]byte(node.Annotations[annotations+"backend-data"]), &data) != nil {
		return nil
	}
	hardware, err := net.ParseMAC(data.VtepMAC)
	if err != nil {
		return nil
	}
	neighbour := &netlink.Neigh{LinkIndex: device.Index, State: netlink.NUD_PERMANENT, Type: 1, IP: subnet.IP, HardwareAddr: hardware}
	forward := &netlink.Neigh{LinkIndex: device.Index, State: netlink.NUD_PERMANENT, Family: 7, Flags: netlink.NTF_SELF,
		IP: address, HardwareAddr: hardware}
	route := &netlink.Route{LinkIndex: device.Index, Scope: netlink.SCOPE_UNIVERSE, Dst: subnet, Gw: subnet.IP, Flags: int(netlink.FLAG_ONLINK)}
	for what, err := range map[string]error{
		"neighbour": netlink.NeighSet(neighbour), "forwarding": netlink.NeighSet(forward), "route": netlink.RouteReplace(route)} {
		if err != nil {
			klog.Errorf("adding the %s entry for %s: %v", what, node.Name, err)
		}
	}
	klog.Infof("%s: %s by %s (%s)", node.Name, subnet, address, hardware)
	return func() {
		_ = netlink.RouteDel(route)
		_ = netlink.NeighDel(forward)
		_ = netlink.NeighDel(neighbour)
	}
}

// keepMasquerading hides what leaves the pod network behind the node, and lets forwarded pod traffic through. Whoever
// flushes the tables (a firewall's reload) undoes that, so it is looked at again, as flanneld does.
func keepMasquerading(all, own string) {
	rules := [][]string{
		{"nat", "POSTROUTING", "-s", all, "-d", all, "-j", "RETURN"},
		{"nat", "POSTROUTING", "-s", all, "!", "-d", "224.0.0.0/4", "-j", "MASQUERADE", "--random-fully"},
		{"nat", "POSTROUTING", "!", "-s", all, "-d", own, "-j", "RETURN"},
		{"nat", "POSTROUTING", "!", "-s", all, "-d", all, "-j", "MASQUERADE", "--random-fully"},
		{"filter", "FORWARD", "-s", all, "-j", "ACCEPT"},
		{"filter", "FORWARD", "-d", all, "-j", "ACCEPT"},
	}
	ensure := func() {
		missing := false
		for _, rule := range rules {
			missing = missing || iptables("-C", rule) != nil
		}
		if !missing {
			return
		}
		klog.Info("Some iptables rules are missing; deleting and recreating rules")
		for _, rule := range rules {
			_ = iptables("-D", rule)
			if err := iptables("-A", rule); err != nil {
				klog.Errorf("Failed to setup IPTables: %v", err)
			}
		}
	}
	ensure()
	go func() {
		for range time.Tick(5 * time.Second) {
			ensure()
		}
	}()
}

func iptables(action string, rule []string) error {
	args := append([]string{"--wait", "-t", rule[0], action, rule[1]}, rule[2:]...)
	if output, err := exec.Command("iptables", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("iptables %s: %v: %s", strings.Join(args, " "), err, output)
	}
	return nil
}

// writeSubnet tells the CNI plugin; the rename means that it never reads half of it.
func writeSubnet(all string, subnet *net.IPNet, mtu int, masquerade bool) {
	gateway := append(net.IP{}, subnet.IP.To4()...)
	gateway[3]++
	bits, _ := subnet.Mask.Size()
	text := fmt.Sprintf("FLANNEL_NETWORK=%s\nFLANNEL_SUBNET=%s/%d\nFLANNEL_MTU=%d\nFLANNEL_IPMASQ=%t\n", all, gateway, bits, mtu, masquerade)
	check(os.MkdirAll(filepath.Dir(subnetFile), 0755), "Failed to write subnet file")
	check(ioutil.WriteFile(subnetFile+".new", []byte(text), 0644), "Failed to write subnet file")
	check(os.Rename(subnetFile+".new", subnetFile), "Failed to write subnet file")
	klog.Infof("Wrote subnet file to %s", subnetFile)
}

func check(err error, format string, args ...interface{}) {
	if err != nil {
		klog.Exitf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}
