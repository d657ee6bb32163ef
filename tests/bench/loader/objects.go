package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

//go:embed crd.json
var crd []byte

// A kind of the contract: where it is, and where its objects keep what.
type kind struct {
	resource   schema.GroupVersionResource
	apiVersion string
	name       string
	section    string // of seq
	path       string // of its collections: prefix, namespace, plural
}

var kinds = map[string]kind{
	"configmaps": {schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, "v1", "ConfigMap", "data",
		"/api/v1/namespaces/%s/configmaps"},
	"widgets": {schema.GroupVersionResource{Group: "bench.example.com", Version: "v1", Resource: "widgets"}, "bench.example.com/v1",
		"Widget", "spec", "/apis/bench.example.com/v1/namespaces/%s/widgets"},
}

func text(r *rand.Rand, n int) string {
	const chars = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for k := range b {
		b[k] = chars[r.IntN(len(chars))]
	}
	return string(b)
}

type fields = map[string]any

// object i of the kind, the same in every run; its content takes about -size bytes.
func object(i int) fields {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	content := configData
	if of.name == "Widget" {
		content = widgetSpec
	}
	section := content(r, i)
	applied := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"annotations":{},"name":%q,"namespace":%q},%q:{"k":%q}}`,
		of.apiVersion, of.name, name(i), ns(i), of.section, text(r, 180))
	return fields{
		"apiVersion": of.apiVersion, "kind": of.name,
		"metadata": fields{
			"name": name(i), "namespace": ns(i),
			"labels": fields{
				"app.kubernetes.io/name": "bench", "app.kubernetes.io/instance": fmt.Sprintf("app-%d", i%500),
				"app.kubernetes.io/managed-by": "loader",
			},
			"annotations": fields{
				"kubectl.kubernetes.io/last-applied-configuration": applied,
				"example.com/checksum":                             text(r, 32),
			},
		},
		of.section: section,
	}
}

func configData(r *rand.Rand, i int) fields {
	data := fields{}
	switch *payload {
	case "random":
		for k, left := 0, *size; left > 0; k++ {
			l := min(left, 256)
			data[fmt.Sprintf("key-%d", k)] = text(r, l)
			left -= l
		}
	case "config":
		data["application.properties"] = settings(r, i, *size)
	default:
		fail(fmt.Errorf("unknown payload %q", *payload))
	}
	return data
}

// widgetSpec has about 900 bytes of structure; the rest is settings.
func widgetSpec(r *rand.Rand, i int) fields {
	env := []any{}
	for _, key := range []string{"LOG_LEVEL", "REGION", "DATABASE_HOST", "CACHE_URL", "FEATURE_FLAGS", "TRACE_ENDPOINT"} {
		env = append(env, fields{"name": key, "value": fmt.Sprintf("%s-%d.app-%d.example.com", strings.ToLower(key), r.IntN(1000), i%500)})
	}
	ports := []any{}
	for k, port := range []string{"http", "metrics", "grpc"} {
		ports = append(ports, fields{"name": port, "port": 8080 + 10*k + r.IntN(10), "protocol": "TCP"})
	}
	return fields{
		"seq": "0", "image": fmt.Sprintf("registry.example.com/team-%d/app-%d:v1.%d.%d", i%20, i%500, r.IntN(40), r.IntN(20)),
		"replicas": r.IntN(10), "paused": r.IntN(10) == 0,
		"strategy": fields{"type": "RollingUpdate", "maxSurge": "25%", "maxUnavailable": 1},
		"ports":    ports, "env": env,
		"resources": fields{
			"requests": fields{"cpu": fmt.Sprintf("%dm", 50+50*r.IntN(10)), "memory": fmt.Sprintf("%dMi", 64<<r.IntN(4))},
			"limits":   fields{"cpu": 2, "memory": "1Gi"},
		},
		"nodeSelector": fields{"kubernetes.io/os": "linux", "topology.kubernetes.io/zone": fmt.Sprintf("eu-west-1%c", 'a'+r.IntN(3))},
		"settings":     settings(r, i, max(*size-900, 1)),
	}
}

// settings is a properties file of n bytes: the same keys in every object, values that differ.
func settings(r *rand.Rand, i, n int) string {
	keys := []string{"server.port", "server.timeout.seconds", "database.url", "database.pool.max", "cache.ttl.seconds", "log.level",
		"feature.checkout.enabled", "metrics.endpoint", "queue.broker", "retry.attempts", "auth.issuer", "region"}
	levels := []string{"debug", "info", "warn", "error"}
	regions := []string{"eu-west-1", "us-east-1", "ap-south-1"}
	var b strings.Builder
	for k := 0; b.Len() < n; k++ {
		key := keys[k%len(keys)]
		var value string
		switch key {
		case "database.url":
			value = fmt.Sprintf("postgres://app-%d.db.example.com:5432/app_%d?sslmode=require", i%500, r.IntN(1000))
		case "metrics.endpoint", "auth.issuer":
			value = fmt.Sprintf("https://app-%d.example.com/%x", i%500, r.Uint32())
		case "queue.broker":
			value = fmt.Sprintf("amqp://broker-%d.example.com:5672/vhost-%d", r.IntN(12), r.IntN(1000))
		case "log.level":
			value = levels[r.IntN(len(levels))]
		case "region":
			value = regions[r.IntN(len(regions))]
		case "feature.checkout.enabled":
			value = fmt.Sprint(r.IntN(2) == 0)
		default:
			value = fmt.Sprint(r.IntN(60000))
		}
		if k >= len(keys) {
			key = fmt.Sprintf("%s.%d", key, k/len(keys))
		}
		fmt.Fprintf(&b, "%s=%s\n", key, value)
	}
	return b.String()[:n]
}

// parent i: a small ConfigMap, or a whole Widget.
func parent(i int, seq string) fields {
	o := fields{"apiVersion": of.apiVersion, "kind": of.name, of.section: fields{}}
	if of.name == "Widget" {
		o = object(i)
	}
	o["metadata"] = fields{"name": parentName(i), "namespace": ns(i), "labels": fields{"bench/parent": "1"}}
	o[of.section].(fields)["seq"] = seq
	return o
}
