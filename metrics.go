package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/mirror"
)

// metrics are what Prometheus reads of the mirror and of the process. They name event types and outcomes, and nothing of
// any organization.
type metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
	lag      prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantry_mirror_events_total", Help: "Events of Clerk by type and by what became of them.",
		}, []string{"type", "outcome"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tenantry_mirror_apply_lag_seconds", Help: "Time from an event, by Clerk's clock, to its effect here.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 36000},
		}),
	}
	m.registry.MustRegister(m.events, m.lag, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts what became of an event.
func (m *metrics) observe(seen mirror.Observation) {
	m.events.WithLabelValues(seen.Type, string(seen.Result)).Inc()
	if seen.Result == mirror.Applied {
		m.lag.Observe(seen.Lag.Seconds())
	}
}

// inboxGauges ask the database at each scrape, so that every replica says the same.
type inboxGauges struct {
	mirror *mirror.Mirror
	logger *slog.Logger
}

var (
	pendingDesc = prometheus.NewDesc("tenantry_mirror_inbox_pending", "Events that are stored and not applied yet.", nil, nil)
	deadDesc    = prometheus.NewDesc("tenantry_mirror_dead_letters", "Events that cannot be applied and wait for a person.", nil, nil)
	factsDesc   = prometheus.NewDesc("tenantry_mirror_facts_in_memory", "Whether this server judges requests by facts in memory; 0 while it asks the database for each.", nil, nil)
	oldestDesc  = prometheus.NewDesc("tenantry_mirror_inbox_oldest_seconds", "How long the oldest pending event has waited; 0 if none.", nil, nil)
)

func (g inboxGauges) Describe(out chan<- *prometheus.Desc) {
	out <- pendingDesc
	out <- deadDesc
	out <- oldestDesc
	out <- factsDesc
}

func (g inboxGauges) Collect(out chan<- prometheus.Metric) {
	var inMemory float64
	if g.mirror.FactsInMemory() {
		inMemory = 1
	}
	out <- prometheus.MustNewConstMetric(factsDesc, prometheus.GaugeValue, inMemory)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	status, err := g.mirror.InboxStatus(ctx)
	if err != nil {
		g.logger.Warn("the inbox cannot be read for the metrics", "error", err)
		return // absent says more than a wrong number
	}
	var oldest float64
	if !status.OldestPending.IsZero() {
		oldest = time.Since(status.OldestPending).Seconds()
	}
	out <- prometheus.MustNewConstMetric(pendingDesc, prometheus.GaugeValue, float64(status.Pending))
	out <- prometheus.MustNewConstMetric(deadDesc, prometheus.GaugeValue, float64(status.Dead))
	out <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, oldest)
}

// serveMetrics serves /metrics on its own address until ctx ends. It returns the address, "" where metrics are off or the
// default address belongs to another program.
func serveMetrics(config cli.Config, m *metrics, copied *mirror.Mirror, logger *slog.Logger, tasks *tasks) (addr string, err error) {
	if config.MetricsAddr == "" {
		return "", nil
	}
	m.registry.MustRegister(inboxGauges{copied, logger}, sweepGauges{copied, logger})
	listener, err := net.Listen("tcp", config.MetricsAddr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && config.MetricsIfFree:
		logger.Info("another program listens where /metrics would; choose an address with TENANTRY_METRICS_ADDR", "address", config.MetricsAddr)
		return "", nil
	case err != nil:
		return "", fmt.Errorf("/metrics cannot listen on %s (TENANTRY_METRICS_ADDR): %w", config.MetricsAddr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	tasks.run(func(context.Context) error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	tasks.run(func(ctx context.Context) error { <-ctx.Done(); return server.Close() })
	return listener.Addr().String(), nil
}
