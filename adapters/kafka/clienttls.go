package kafka

import (
	"crypto/tls"
	"maps"
	"slices"
	"strings"
)

// clientTLS are the properties of a Java client that ClientTLS follows, and those that mean nothing where there is no JVM.
var clientTLS = []string{
	"ssl.truststore.location", "ssl.truststore.certificates", "ssl.truststore.password", "ssl.truststore.type",
	"ssl.keystore.location", "ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.password", "ssl.keystore.type",
	"ssl.key.password", "ssl.endpoint.identification.algorithm", "ssl.enabled.protocols", "ssl.cipher.suites",
	"ssl.protocol", "ssl.provider", "ssl.keymanager.algorithm", "ssl.trustmanager.algorithm", "ssl.secure.random.implementation",
}

// ClientTLS reads the properties `ssl.*` of a Java client, for servers that are spoken to beside Kafka. The error names the
// property that cannot be followed, and quotes no secret. No file was opened then: the function that it gives reads the
// stores, again when their files have changed. What that gives is shared, clone it to change it. Both are safe for
// concurrent use.
func ClientTLS(properties map[string]string) (func() (*tls.Config, error), error) {
	r := &propertyReader{values: properties}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if strings.HasPrefix(name, "ssl.") && !slices.Contains(clientTLS, name) {
			r.bad(name, hidden, "it is not followed here")
		}
	}
	s := Security{TLS: true}
	r.stores(&s)
	r.versions(&s)
	r.suites(&s)
	if len(r.invalid) > 0 {
		return nil, r.invalid[0]
	}
	return (&credentials{security: s}).config, nil
}
