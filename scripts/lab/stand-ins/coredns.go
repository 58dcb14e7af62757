// A stand-in for CoreDNS 1.7.0, which is not in Debian.
//
// The contract it keeps: started with -conf FILE it serves DNS on port 53 (UDP and TCP): A records of Services (and of the
// ready endpoints of headless ones) under the Corefile's cluster domain, PTR records of cluster IPs, NXDOMAIN for what is
// not there, and other names from the first nameserver of /etc/resolv.conf, SERVFAIL when there is none. /health on 8080
// from the start, /ready on 8181 once the API has been read. It needs what kubeadm's ClusterRole for CoreDNS allows.
// Other plugins of the Corefile are not looked at.
package main

import (
	"flag"
	"io/ioutil"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const ttl = 30

type cluster struct {
	domain    string // as DNS writes it: svc names end in .svc.<domain>.
	services  listers.ServiceLister
	endpoints listers.EndpointsLister
}

func main() {
	corefile := flag.String("conf", "Corefile", "the Corefile")
	flag.Parse()
	text, err := ioutil.ReadFile(*corefile)
	check(err)

	var ready int32
	go serveHTTP(":8080", func() bool { return true })
	go serveHTTP(":8181", func() bool { return atomic.LoadInt32(&ready) == 1 })

	config, err := rest.InClusterConfig()
	check(err)
	client, err := kubernetes.NewForConfig(config)
	check(err)
	factory := informers.NewSharedInformerFactory(client, 0)
	known := &cluster{
		domain:    domain(string(text)),
		services:  factory.Core().V1().Services().Lister(),
		endpoints: factory.Core().V1().Endpoints().Lister(),
	}
	synced := []cache.InformerSynced{
		factory.Core().V1().Services().Informer().HasSynced,
		factory.Core().V1().Endpoints().Informer().HasSynced,
	}
	factory.Start(nil)
	go func() {
		cache.WaitForCacheSync(nil, synced...)
		atomic.StoreInt32(&ready, 1)
		klog.Info("ready")
	}()

	dns.HandleFunc(".", known.answer)
	klog.Infof("stand-in for CoreDNS, serving %s", known.domain)
	go func() { check((&dns.Server{Addr: ":53", Net: "tcp"}).ListenAndServe()) }()
	check((&dns.Server{Addr: ":53", Net: "udp"}).ListenAndServe())
}

// domain is the first zone of the Corefile's kubernetes plugin.
func domain(corefile string) string {
	if found := regexp.MustCompile(`(?m)^\s*kubernetes\s+(\S+)`).FindStringSubmatch(corefile); found != nil {
		return dns.Fqdn(found[1])
	}
	return "cluster.local."
}

func serveHTTP(address string, well func() bool) {
	check(http.ListenAndServe(address, http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		if !well() {
			response.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = response.Write([]byte("OK"))
	})))
}

func (c *cluster) answer(writer dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg)
	reply.SetReply(question)
	if len(question.Question) == 1 {
		asked := question.Question[0]
		name := strings.ToLower(asked.Name)
		switch {
		case dns.IsSubDomain(c.domain, name):
			reply.Authoritative = true
			c.answerService(reply, asked, strings.TrimSuffix(strings.TrimSuffix(name, c.domain), "."))
		case asked.Qtype == dns.TypePTR && c.answerPointer(reply, asked, name):
		default:
			forward(reply, question)
		}
	}
	_ = writer.WriteMsg(reply)
}

// answerService answers [pod.]service.namespace.svc.
func (c *cluster) answerService(reply *dns.Msg, asked dns.Question, name string) {
	parts := strings.Split(name, ".")
	if len(parts) < 3 || parts[len(parts)-1] != "svc" {
		if name != "" && name != "svc" {
			reply.Rcode = dns.RcodeNameError
		}
		return
	}
	parts = parts[:len(parts)-1]
	space, service, pod := parts[len(parts)-1], parts[len(parts)-2], strings.Join(parts[:len(parts)-2], ".")
	found, err := c.services.Services(space).Get(service)
	if err != nil {
		reply.Rcode = dns.RcodeNameError
		return
	}
	addresses := []string{found.Spec.ClusterIP}
	if found.Spec.ClusterIP == v1.ClusterIPNone {
		addresses = c.endpointAddresses(space, service, pod)
	} else if pod != "" {
		addresses = nil
	}
	if len(addresses) == 0 {
		reply.Rcode = dns.RcodeNameError
		return
	}
	if asked.Qtype != dns.TypeA && asked.Qtype != dns.TypeANY {
		return // the name exists, but has no such record
	}
	for _, address := range addresses {
		header := dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}
		reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: net.ParseIP(address)})
	}
}

func (c *cluster) endpointAddresses(space, service, pod string) (addresses []string) {
	found, err := c.endpoints.Endpoints(space).Get(service)
	if err != nil {
		return nil
	}
	for _, subset := range found.Subsets {
		for _, one := range subset.Addresses {
			dashed := strings.Replace(one.IP, ".", "-", -1)
			if pod == "" || pod == one.Hostname || pod == dashed {
				addresses = append(addresses, one.IP)
			}
		}
	}
	return addresses
}

func (c *cluster) answerPointer(reply *dns.Msg, asked dns.Question, name string) bool {
	all, err := c.services.List(labels.Everything())
	if err != nil {
		return false
	}
	for _, service := range all {
		if reverse, err := dns.ReverseAddr(service.Spec.ClusterIP); err == nil && reverse == name {
			header := dns.RR_Header{Name: asked.Name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: ttl}
			full := service.Name + "." + service.Namespace + ".svc." + c.domain
			reply.Answer = append(reply.Answer, &dns.PTR{Hdr: header, Ptr: full})
			return true
		}
	}
	return false
}

// forward asks the node's own nameserver.
func forward(reply, question *dns.Msg) {
	reply.Rcode = dns.RcodeServerFailure
	config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil || len(config.Servers) == 0 {
		return
	}
	if answer, err := dns.Exchange(question, net.JoinHostPort(config.Servers[0], config.Port)); err == nil {
		answer.CopyTo(reply)
		reply.Id = question.Id
	}
}

func check(err error) {
	if err != nil {
		klog.Exit(err)
	}
}
