package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/mirror"
)

// sweepGauges are the last comparison with Clerk that came to its end. Like inboxGauges they are asked of the database at
// each scrape; before the first comparison there are none.
type sweepGauges struct {
	mirror *mirror.Mirror
	logger *slog.Logger
}

var (
	driftDesc = prometheus.NewDesc("tenantry_mirror_drift", "Rows that the last finished comparison found otherwise than at Clerk: missing, differing, extra.",
		[]string{"kind", "way"}, nil)
	refusedDesc = prometheus.NewDesc("tenantry_mirror_sweep_refused", "Rows that the last finished comparison left alone because they were too many to be likely deletions.",
		[]string{"kind"}, nil)
	lastSweepDesc = prometheus.NewDesc("tenantry_mirror_last_sweep_timestamp_seconds", "When the last comparison with Clerk was finished.", nil, nil)
)

func (g sweepGauges) Describe(out chan<- *prometheus.Desc) {
	out <- driftDesc
	out <- refusedDesc
	out <- lastSweepDesc
}

func (g sweepGauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	last, err := g.mirror.LastComparison(ctx)
	if err != nil {
		g.logger.Warn("the last comparison with Clerk cannot be read for the metrics", "error", err)
		return
	}
	if last == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(lastSweepDesc, float64(last.FinishedAt.UnixMilli())/1000)
	for kind, found := range last.Report.Kinds {
		gauge(driftDesc, float64(found.Missing), kind, "missing")
		gauge(driftDesc, float64(found.Differing), kind, "differing")
		gauge(driftDesc, float64(found.Extra), kind, "extra")
		gauge(refusedDesc, float64(found.Refused), kind)
	}
}
