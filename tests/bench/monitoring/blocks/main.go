// Blocks of made-up samples, in Prometheus' own format, written by its own code.
//
// Standard input has a series in each line, as JSON: its labels, its kind ("counter", "gauge" or "constant"), its
// size, whether its values are whole numbers, at every which of the steps it has a sample, and a seed: series with one seed rise together, as the buckets of a
// histogram do. A block holds two hours. promtool makes blocks of text as well, but takes some 6 µs for a sample;
// a day of 100,000 series would take an hour.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
)

const blockSeconds = 2 * 3600

type series struct {
	Labels map[string]string `json:"labels"`
	Kind   string            `json:"kind"`
	Size   float64           `json:"size"`
	Whole  bool              `json:"whole"`
	Every  int64             `json:"every"`
	Seed   uint64            `json:"seed"`

	labels labels.Labels
	total  float64
}

func main() {
	out := flag.String("out", "", "folder that the blocks go into")
	end := flag.Int64("end", 0, "when the samples end, in seconds since 1970; a multiple of 7200")
	blocks := flag.Int64("blocks", 12, "how many blocks of two hours before that")
	step := flag.Int64("step", 15, "seconds between two samples")
	flag.Parse()
	if err := run(os.Stdin, *out, *end, *blocks, *step); err != nil {
		fmt.Fprintln(os.Stderr, "blocks:", err)
		os.Exit(1)
	}
}

func run(input io.Reader, out string, end, blocks, step int64) error {
	if out == "" || end%blockSeconds != 0 || step < 1 {
		return errors.New("-out, -end (a multiple of 7200) and -step are needed")
	}
	all, err := read(input)
	if err != nil {
		return err
	}
	for block := range blocks {
		start := end - (blocks-block)*blockSeconds
		if err := write(all, out, start, step); err != nil {
			return fmt.Errorf("block %d of %d: %w", block+1, blocks, err)
		}
		fmt.Printf("block %d of %d is written\n", block+1, blocks)
	}
	return nil
}

func read(input io.Reader) ([]*series, error) {
	var all []*series
	decoder := json.NewDecoder(bufio.NewReaderSize(input, 1<<20))
	for {
		one := &series{}
		if err := decoder.Decode(one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		one.labels = labels.FromMap(one.Labels)
		one.Labels = nil
		all = append(all, one)
	}
}

// write makes the block that begins at start.
func write(all []*series, out string, start, step int64) (err error) {
	// A head takes samples that are at most half its range older than the newest: twice the range takes them all.
	writer, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), out, 2*blockSeconds*1000)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, writer.Close()) }()
	ctx := context.Background()
	for _, one := range all {
		appender := writer.Appender(ctx)
		random := rand.New(rand.NewPCG(one.Seed, uint64(start)))
		phase := float64(one.Seed)
		own := step * max(1, one.Every)
		ref, err := appender.Append(0, one.labels, start*1000, one.next(random, phase, start, own))
		for time := start + own; err == nil && time < start+blockSeconds; time += own {
			_, err = appender.Append(ref, one.labels, time*1000, one.next(random, phase, time, own))
		}
		if err == nil {
			err = appender.Commit()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", one.labels, err)
		}
	}
	_, err = writer.Flush(ctx)
	return err
}

// next returns the value at a time: a counter grows by 0.1 of its size a second, unsteadily; a gauge goes up and
// down around its size in three hours.
func (one *series) next(random *rand.Rand, phase float64, time, step int64) float64 {
	value := one.Size
	switch one.Kind {
	case "counter":
		one.total += one.Size * float64(step) * 0.2 * random.Float64()
		value = one.total
	case "gauge":
		wave := math.Sin(phase + float64(time)/10800*2*math.Pi)
		value *= 1 + 0.4*wave + 0.1*(random.Float64()-0.5)
	}
	if one.Whole {
		return math.Floor(value)
	}
	return math.Round(value*1e6) / 1e6
}
