package kafka

import (
	"errors"
	"fmt"
	"slices"
)

// dynamicConfig names the entry whose provider gives further properties, resolved where the consumer runs.
const dynamicConfig = "druid.dynamic.config.provider"

// passwordProperties may be given as a password provider instead of as text.
var passwordProperties = []string{"ssl.truststore.password", "ssl.keystore.password", "ssl.key.password"}

// resolve gives every property as text, the dynamic ones over the others.
func resolve(raw map[string]any, env Lookup) (map[string]string, error) {
	out := make(map[string]string, len(raw))
	for name, value := range raw {
		if name == dynamicConfig {
			continue
		}
		if object, ok := value.(map[string]any); ok && slices.Contains(passwordProperties, name) {
			password, err := password(object, env)
			if err != nil {
				return nil, fmt.Errorf("password provider of %s: %w", name, err)
			}
			out[name] = password
			continue
		}
		text, err := valueText(value)
		if err != nil {
			return nil, fmt.Errorf("consumer property %s: %w", name, err)
		}
		out[name] = text
	}
	provider, ok := raw[dynamicConfig]
	if !ok || provider == nil {
		return out, nil
	}
	object, ok := provider.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s must be an object with a type", dynamicConfig)
	}
	if err := dynamic(out, object, env); err != nil {
		return nil, fmt.Errorf("%s: %w", dynamicConfig, err)
	}
	return out, nil
}

func password(provider map[string]any, env Lookup) (string, error) {
	switch kind, _ := provider["type"].(string); kind {
	case "default":
		return valueText(provider["password"])
	case "environment":
		name, ok := provider["variable"].(string)
		if !ok || name == "" {
			return "", errors.New("variable must be given")
		}
		return environment(name, env)
	default:
		return "", fmt.Errorf("type %q is not known (default and environment are)", kind)
	}
}

func dynamic(out map[string]string, provider map[string]any, env Lookup) error {
	kind, _ := provider["type"].(string)
	switch kind {
	case "mapString":
		config, err := object(provider, "config")
		if err != nil {
			return err
		}
		for name, value := range config {
			text, err := valueText(value)
			if err != nil {
				return fmt.Errorf("property %s: %w", name, err)
			}
			out[name] = text
		}
	case "environment":
		variables, err := object(provider, "variables")
		if err != nil {
			return err
		}
		for name, variable := range variables {
			text, ok := variable.(string)
			if !ok {
				return fmt.Errorf("the variable of %s must be a name", name)
			}
			if out[name], err = environment(text, env); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("type %q is not known (environment and mapString are)", kind)
	}
	return nil
}

func object(parent map[string]any, name string) (map[string]any, error) {
	m, ok := parent[name].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s must be an object", name)
	}
	return m, nil
}

func environment(name string, env Lookup) (string, error) {
	if env == nil {
		return "", errors.New("there is no environment to read")
	}
	value, ok := env(name)
	if !ok {
		return "", fmt.Errorf("environment variable %s is not set", name)
	}
	return value, nil
}
