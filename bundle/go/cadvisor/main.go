// cAdvisor for containerd. Upstream's own command is in a module of its own, which cannot be had from the Go
// module proxy; the packages around it can. The flags have the names, defaults and meanings of upstream's, and the
// metrics its names and labels, so one DaemonSet fits this image and the official one. Left out are the web
// pages, the storage drivers, the clouds and the other container runtimes: a flag of theirs is refused.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	"github.com/google/cadvisor/container/containerd"
	_ "github.com/google/cadvisor/container/containerd/install"
	infov2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/google/cadvisor/version"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// What upstream leaves out unless it is asked for.
const disabledByDefault = "memory_numa,tcp,udp,advtcp,sched,process,hugetlb,referenced_memory,cpu_topology,resctrl,cpuset"

type options struct {
	listenIP          string
	port              int
	endpoint          string
	storageDuration   time.Duration
	enabled           container.MetricSet
	disabled          container.MetricSet
	storeLabels       bool
	whitelistedLabels string
	version           bool
}

// parse reads the command line. The flags of cAdvisor's packages (housekeeping, containerd, docker_only) and of
// klog are registered by themselves.
func parse() options {
	var o options
	kinds := container.AllMetrics.String()
	if err := o.disabled.Set(disabledByDefault); err != nil {
		klog.Fatal(err)
	}
	flag.StringVar(&o.listenIP, "listen_ip", "", "IP to listen on, all when empty")
	flag.IntVar(&o.port, "port", 8080, "port to listen on")
	flag.StringVar(&o.endpoint, "prometheus_endpoint", "/metrics", "path of the metrics")
	flag.DurationVar(&o.storageDuration, "storage_duration", 2*time.Minute, "how long measurements are kept in memory")
	flag.Var(&o.enabled, "enable_metrics", "comma-separated `metrics` to give; replaces disable_metrics. Of: "+kinds)
	flag.Var(&o.disabled, "disable_metrics", "comma-separated `metrics` to leave out. Of: "+kinds)
	flag.BoolVar(&o.storeLabels, "store_container_labels", true, "make each label of a container one of its metrics")
	flag.StringVar(&o.whitelistedLabels, "whitelisted_container_labels", "",
		"comma-separated labels to keep when store_container_labels is false")
	flag.BoolVar(&o.version, "version", false, "print the version and end")
	klog.InitFlags(nil)
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "cadvisor takes flags alone, not %q\n", flag.Args())
		os.Exit(2)
	}
	return o
}

func (o options) metrics() container.MetricSet {
	if len(o.enabled) > 0 {
		return o.enabled
	}
	return container.AllMetrics.Difference(o.disabled)
}

func (o options) labels() metrics.ContainerLabelsFunc {
	if o.storeLabels {
		return metrics.DefaultContainerLabels
	}
	return metrics.BaseContainerLabels(strings.Split(o.whitelistedLabels, ","))
}

func main() {
	o := parse()
	if o.version {
		fmt.Printf("cAdvisor version %s (croft)\n", version.Info["version"])
		return
	}
	if err := run(o); err != nil {
		klog.Exit(err)
	}
}

// run measures and serves until a signal comes.
func run(o options) error {
	if err := requireContainerd(); err != nil {
		return err
	}
	// One empty prefix stands for none in these two lists.
	none := []string{""}
	containers, err := manager.New(memory.New(o.storageDuration, nil), sysfs.NewRealSysFs(),
		manager.HousekeepingConfigFlags, o.metrics(), &http.Client{}, none, none, "", 0)
	if err != nil {
		return fmt.Errorf("cannot measure containers: %w", err)
	}
	if err := containers.Start(); err != nil {
		return fmt.Errorf("cannot start measuring: %w", err)
	}
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	server := &http.Server{
		Addr:              net.JoinHostPort(o.listenIP, strconv.Itoa(o.port)),
		Handler:           handler(o, containers),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() {
		<-stop.Done()
		_ = server.Close()
	}()
	klog.Infof("cAdvisor %s serves %s on %s", version.Info["version"], o.endpoint, server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return containers.Stop()
}

// requireContainerd says at once what upstream only logs, and then serves a node without containers for ever.
func requireContainerd() error {
	client, err := containerd.Client(*containerd.ArgContainerdEndpoint, *containerd.ArgContainerdNamespace)
	if err != nil {
		return fmt.Errorf("containerd does not answer at %s: %w", *containerd.ArgContainerdEndpoint, err)
	}
	deadline, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := client.Version(deadline); err != nil {
		return fmt.Errorf("containerd does not tell its version: %w", err)
	}
	return nil
}

func handler(o options, containers manager.Manager) http.Handler {
	whole := prometheus.NewRegistry()
	whole.MustRegister(
		metrics.NewPrometheusMachineCollector(containers, o.metrics()),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.HandleFunc(o.endpoint, func(answer http.ResponseWriter, asked *http.Request) {
		latest := infov2.RequestOptions{IdType: infov2.TypeName, Count: 1, Recursive: true}
		// As upstream: who asks with max_age=5s has everything measured anew that was measured longer ago.
		if text := asked.URL.Query().Get("max_age"); text != "" {
			age, err := time.ParseDuration(text)
			if err != nil {
				http.Error(answer, fmt.Sprintf("max_age: %v", err), http.StatusBadRequest)
				return
			}
			latest.MaxAge = &age
		}
		each := prometheus.NewRegistry()
		each.MustRegister(metrics.NewPrometheusCollector(containers, o.labels(), o.metrics(), clock.RealClock{}, latest))
		promhttp.HandlerFor(prometheus.Gatherers{whole, each},
			promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(answer, asked)
	})
	mux.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) {
		_, _ = answer.Write([]byte("ok"))
	})
	return mux
}
