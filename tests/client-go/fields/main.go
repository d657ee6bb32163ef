// Writes sdk/devapi/message_table.inc: the fields of the built-in kinds, as their Go types have them.
//
//	cd tests/client-go && go run ./fields > ../../sdk/devapi/message_table.inc
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// What devapi serves, or takes as a body.
var kinds = []struct{ version, names string }{
	{"v1", "ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim " +
		"Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount"},
	{"apps/v1", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"},
	{"batch/v1", "CronJob Job"},
	{"apiextensions.k8s.io/v1", "CustomResourceDefinition"},
	{"authentication.k8s.io/v1", "SelfSubjectReview TokenReview"},
	{"authorization.k8s.io/v1", "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"},
	{"autoscaling/v1", "HorizontalPodAutoscaler Scale"},
	{"autoscaling/v2", "HorizontalPodAutoscaler"},
	{"coordination.k8s.io/v1", "Lease"},
	{"discovery.k8s.io/v1", "EndpointSlice"},
	{"events.k8s.io/v1", "Event"},
	{"networking.k8s.io/v1", "Ingress IngressClass NetworkPolicy"},
	{"policy/v1", "PodDisruptionBudget"},
	{"rbac.authorization.k8s.io/v1", "ClusterRole ClusterRoleBinding Role RoleBinding"},
	{"scheduling.k8s.io/v1", "PriorityClass"},
	{"storage.k8s.io/v1", "StorageClass"},
	{"meta.k8s.io/v1", "DeleteOptions"},
}

// Types whose JSON is no object of their fields.
var special = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                     "TIME",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                "MICRO_TIME",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                 "RAW",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                 "QUANTITY",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":               "INT_OR_TEXT",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                  "RAW",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "RAW",
}

// Messages in whose place JSON has the value of one of their members.
var either = map[string]bool{
	"JSONSchemaPropsOrArray": true, "JSONSchemaPropsOrBool": true, "JSONSchemaPropsOrStringArray": true, "ExtraValue": true,
}

const head = `/* SPDX-License-Identifier: Apache-2.0 */
/* Written by tests/client-go/fields from the Go types of Kubernetes 1.34; not by hand. */
`

var (
	names     = map[reflect.Type]string{} // in C
	written   = map[reflect.Type]bool{}
	taken     = map[string]bool{}
	forward   bytes.Buffer // of messages that hold themselves
	forwarded = map[reflect.Type]bool{}
	messages  bytes.Buffer
	comments  = map[string]string{} // of "package.Type" and "package.Type.Field"
	parsed    = map[string]bool{}
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func noteComments(file *ast.File, pkg string) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			spec, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			comments[pkg+"."+spec.Name.Name] = general.Doc.Text() + spec.Doc.Text()
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					comments[pkg+"."+spec.Name.Name+"."+name.Name] = field.Doc.Text()
				}
			}
		}
	}
}

// The values of a comment's lines "+name=value".
func marks(comment, name string) []string {
	var values []string
	for _, line := range strings.Split(comment, "\n") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "+"+name+"="); ok {
			values = append(values, strings.Trim(value, "`\""))
		}
	}
	return values
}

func mark(comment, name string) string {
	return strings.Join(marks(comment, name), " ")
}

func readComments(pkg string) {
	if parsed[pkg] {
		return
	}
	parsed[pkg] = true
	dir := strings.TrimSpace(string(must(exec.Command("go", "list", "-f", "{{.Dir}}", pkg).Output())))
	for _, path := range must(filepath.Glob(filepath.Join(dir, "types*.go"))) {
		noteComments(must(parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)), pkg)
	}
}

func shortPackage(pkg string) string {
	for _, cut := range []string{"k8s.io/apiextensions-apiserver/pkg/apis/", "k8s.io/apimachinery/pkg/apis/", "k8s.io/api/"} {
		if rest, ok := strings.CutPrefix(pkg, cut); ok {
			return rest
		}
	}
	return pkg
}

// "io.k8s.api.core.v1.Container", as OpenAPI names it.
func openAPIName(t reflect.Type) string {
	pkg := strings.Replace(t.PkgPath(), "k8s.io", "io.k8s", 1)
	return strings.ReplaceAll(pkg, "/", ".") + "." + t.Name()
}

func valueOf(t reflect.Type) (string, string) {
	full := t.PkgPath() + "." + t.Name()
	if word, ok := special[full]; ok {
		return word, ""
	}
	if either[t.Name()] {
		return "EITHER", message(t)
	}
	switch t.Kind() {
	case reflect.String:
		return "TEXT", ""
	case reflect.Bool:
		return "BOOL", ""
	case reflect.Int32, reflect.Uint8:
		return "INT32", ""
	case reflect.Int64:
		return "INT64", ""
	case reflect.Float64:
		return "DOUBLE", ""
	case reflect.Struct:
		return "MESSAGE", message(t)
	}
	panic("no word for " + full)
}

func commentOf(owner reflect.Type, field string) string {
	return comments[owner.PkgPath()+"."+owner.Name()+"."+field]
}

// Left out of JSON when it is zero? A struct only with omitzero.
func isAlways(field reflect.StructField) bool {
	options := strings.Split(field.Tag.Get("json"), ",")[1:]
	for _, option := range options {
		if option == "omitzero" || (option == "omitempty" && field.Type.Kind() != reflect.Struct) {
			return false
		}
	}
	return true
}

// How server-side apply takes the field: "S", "A" or "" and the keys of a list, as "port protocol=TCP".
func topology(owner reflect.Type, field reflect.StructField, element reflect.Type) (string, string) {
	comment := commentOf(owner, field.Name)
	structType := mark(comment, "structType")
	if structType == "" && element.Kind() == reflect.Struct {
		readComments(element.PkgPath())
		structType = mark(comments[element.PkgPath()+"."+element.Name()], "structType")
	}
	if field.Type.Kind() != reflect.Slice {
		if mark(comment, "mapType") == "atomic" || (structType == "atomic" && field.Type.Kind() != reflect.Map) {
			return "A", ""
		}
		return "", ""
	}
	listType, keys := mark(comment, "listType"), marks(comment, "listMapKey")
	if listType == "" && strings.HasPrefix(field.Tag.Get("patchStrategy"), "merge") {
		listType = "set"
		if key := field.Tag.Get("patchMergeKey"); key != "" {
			listType, keys = "map", []string{key}
		}
	}
	atomic := map[bool]string{true: "A"}[structType == "atomic"] // the elements
	switch listType {
	case "set":
		return "S", ""
	case "map":
		return atomic, strings.Join(withDefaults(element, keys), " ")
	}
	return atomic, ""
}

// The keys that the element has, those with a default as "name=default".
func withDefaults(element reflect.Type, keys []string) []string {
	var list []string
	for i := 0; i < element.NumField(); i++ {
		field := element.Field(i)
		name := strings.Split(field.Tag.Get("json"), ",")[0]
		if field.Anonymous && name == "" {
			readComments(field.Type.PkgPath())
			list = append(list, withDefaults(field.Type, keys)...)
		}
		if !slices.Contains(keys, name) {
			continue
		}
		if values := marks(commentOf(element, field.Name), "default"); len(values) > 0 {
			name += "=" + values[0]
		} else if isAlways(field) && field.Type.Kind() != reflect.Pointer {
			name += "=" + map[bool]string{true: "", false: "0"}[field.Type.Kind() == reflect.String]
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func memberOf(owner reflect.Type, field reflect.StructField) string {
	tag := strings.Split(field.Tag.Get("protobuf"), ",")
	json := strings.Split(field.Tag.Get("json"), ",")
	if either[owner.Name()] {
		json[0] = field.Name
	}
	number := must(strconv.Atoi(tag[1]))
	t, flags := field.Type, []string{}
	add := func(flag string) { flags = append(flags, flag) }
	optionalField := strings.Contains(field.Tag.Get("json"), "omitempty") || strings.Contains(commentOf(owner, field.Name), "+optional")

	if t.Kind() == reflect.Pointer {
		t = t.Elem()
		add("P")
	}
	bytesField := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	if t.Kind() == reflect.Map {
		t = t.Elem()
		add("M")
		bytesField = t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	} else if t.Kind() == reflect.Slice && !bytesField {
		t = t.Elem()
		add("L")
	}
	if json[0] == "" {
		add("I")
	} else if !optionalField {
		add("R")
	}
	if isAlways(field) && json[0] != "" {
		add("Z")
	}
	word, of := "BYTES", ""
	if !bytesField {
		word, of = valueOf(t)
	}
	topologyFlag, keys := topology(owner, field, t)
	if topologyFlag != "" {
		add(topologyFlag)
	}
	text := fmt.Sprintf("{%d, %q, %s", number, json[0], word)
	if len(flags) > 0 || of != "" {
		text += ", " + strings.Join(append(flags, map[bool][]string{true: {"0"}}[len(flags) == 0]...), "|")
	}
	if of != "" {
		text += ", &" + of
	}
	if keys != "" {
		text += fmt.Sprintf(", %q", keys)
	}
	return text + "}"
}

func members(t reflect.Type) []string {
	if t.Kind() == reflect.Slice { // ExtraValue
		return []string{`{1, "items", TEXT, L}`}
	}
	var list []string
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		if field.Tag.Get("protobuf") == "" || field.Tag.Get("protobuf") == "-" {
			continue // TypeMeta is in the envelope
		}
		list = append(list, memberOf(t, field))
	}
	return list
}

// Writes the message and those that it needs; its name in C.
func message(t reflect.Type) string {
	if name, ok := names[t]; ok {
		if !written[t] && !forwarded[t] {
			forwarded[t] = true
			fmt.Fprintf(&forward, "static const dev_message_t %s;\n", name)
		}
		return name
	}
	readComments(t.PkgPath())
	name := "m_" + t.Name()
	if taken[name] {
		name += "_" + strings.NewReplacer("/", "_", ".", "_").Replace(shortPackage(t.PkgPath()))
	}
	taken[name] = true
	names[t] = name
	list := members(t)
	var out bytes.Buffer
	line := fmt.Sprintf("DEFINE(%s, %q", strings.TrimPrefix(name, "m_"), openAPIName(t))
	for _, member := range list {
		if len(line)+len(member)+2 > 118 {
			fmt.Fprintln(&out, line+",")
			line = "    " + member
		} else {
			line += ", " + member
		}
	}
	fmt.Fprintln(&out, line+")")
	written[t] = true
	messages.Write(out.Bytes())
	return name
}

func main() {
	utilruntime.Must(apiextensions.AddToScheme(scheme.Scheme))
	var roots bytes.Buffer
	for _, row := range kinds {
		gv := must(schema.ParseGroupVersion(row.version))
		for _, kind := range strings.Fields(row.names) {
			var object runtime.Object = &metav1.DeleteOptions{}
			if gv.Group != metav1.GroupName {
				object = must(scheme.Scheme.New(gv.WithKind(kind)))
			}
			fmt.Fprintf(&roots, "    KIND(%q, %q, %s)\n", row.version, kind, message(reflect.TypeOf(object).Elem())[2:])
		}
	}
	fmt.Print(head)
	os.Stdout.Write(forward.Bytes())
	os.Stdout.Write(messages.Bytes())
	fmt.Printf("\nstatic const struct {\n    const char *version, *kind;\n    const dev_message_t *message;\n} roots[] = {\n%s};\n", roots.String())
}
