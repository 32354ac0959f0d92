package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// EnvPrefix starts the names of all variables that override the file.
const EnvPrefix = "VITRINE_"

// applyEnv takes over VITRINE_* of env, a list of NAME=value. A variable that names no key is an error, because a typing
// error would otherwise pass unnoticed.
func (c *Config) applyEnv(env []string) error {
	fields := map[string]reflect.Value{}
	collect(reflect.ValueOf(c).Elem(), EnvPrefix, fields)
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, EnvPrefix) || slices.Contains(foreign, name) {
			continue
		}
		field, ok := fields[name]
		if !ok {
			return fmt.Errorf("%s: there is no such setting; `vitrine config show` lists them", name)
		}
		if err := set(field, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// foreign are variables with our prefix that are no settings.
var foreign = []string{EnvPrefix + "CONFIG", EnvPrefix + "TOKEN"}

// collect finds every leaf below v with the name of its variable.
func collect(v reflect.Value, prefix string, into map[string]reflect.Value) {
	for i := range v.NumField() {
		name := prefix + strings.ToUpper(v.Type().Field(i).Tag.Get("yaml"))
		if f := v.Field(i); f.Kind() == reflect.Struct {
			collect(f, name+"_", into)
		} else {
			into[name] = f
		}
	}
}

func set(v reflect.Value, value string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(value))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(value)
	case reflect.Int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		v.SetInt(int64(n))
	case reflect.Float64:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		v.SetFloat(f)
	case reflect.Slice:
		return setList(v, value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		v.SetBool(b)
	default:
		return fmt.Errorf("settings of kind %v cannot be set from the environment", v.Kind())
	}
	return nil
}

// setList sets a list of strings, or of values that are read from strings, from its comma-separated form.
func setList(v reflect.Value, value string) error {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := set(element, item); err != nil {
			return err
		}
		list = reflect.Append(list, element)
	}
	v.Set(list)
	return nil
}
