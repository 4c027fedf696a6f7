package kafka

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Security says how a connection is made safe. It holds secrets.
type Security struct {
	TLS bool
	// Truststore and Keystore are files or inline PEM.
	TruststoreFile, TruststorePEM, TruststorePassword string
	KeystoreFile, KeystorePEM, KeystorePassword       string
	// Key is the PEM of the private key of KeystorePEM.
	Key, KeyPassword string
	SkipHostname     bool
	// MinVersion and MaxVersion are those of crypto/tls.
	MinVersion, MaxVersion uint16
	// CipherSuites are those of TLS 1.2 and older; none stands for all that are safe.
	CipherSuites []uint16
	// Mechanism is empty without SASL.
	Mechanism, User, Password string
	// DelegationToken says that User and Password are those of a delegation token.
	DelegationToken bool
	OAuth           OAuth
}

// OAuth says where a token comes from.
type OAuth struct {
	Endpoint                      string
	ClientID, ClientSecret, Scope string
	URLEncodeHeader               bool
	Extensions                    map[string]string
	ConnectTimeout, ReadTimeout   time.Duration
	RetryPause, RetryMost         time.Duration
	RefreshWindow                 float64 // the part of a token's life after which another is fetched
	RefreshBuffer                 time.Duration
	// TLS has the stores for the endpoint, which Java takes from the options of the login module.
	TLS *Security
}

// The SASL mechanisms that are spoken.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
	mechanismOAuth    = "OAUTHBEARER"
)

func (r *propertyReader) security() Security {
	var s Security
	protocol := strings.ToUpper(r.text("security.protocol", "PLAINTEXT"))
	switch protocol {
	case "PLAINTEXT", "SASL_PLAINTEXT":
	case "SSL", "SASL_SSL":
		s.TLS = true
		r.stores(&s)
		r.versions(&s)
		r.suites(&s)
	default:
		r.bad("security.protocol", protocol, "String must be one of (case insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT")
	}
	if strings.HasPrefix(protocol, "SASL") {
		r.signIn(&s)
	}
	return s
}

// signIn reads what SASL needs.
func (r *propertyReader) signIn(s *Security) {
	s.Mechanism = strings.ToUpper(r.text("sasl.mechanism", "GSSAPI"))
	switch s.Mechanism {
	case mechanismPlain, mechanismScram256, mechanismScram512, mechanismOAuth:
	case "GSSAPI":
		r.bad("sasl.mechanism", s.Mechanism, "Kerberos is not spoken here; PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are")
		return
	default:
		r.bad("sasl.mechanism", s.Mechanism, "it is not spoken here; PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are")
		return
	}
	options, ok := r.login()
	if !ok {
		return
	}
	if s.Mechanism == mechanismOAuth {
		r.oauth(s, options)
		return
	}
	s.User, s.Password = options["username"], options["password"]
	s.DelegationToken = s.Mechanism != mechanismPlain && strings.EqualFold(options["tokenauth"], "true")
	if _, given := options["password"]; s.User == "" || !given {
		r.bad(jaasConfig, hidden, `the login module needs username="..." and password="..."`)
	}
}

const (
	jaasConfig = "sasl.jaas.config"
	hidden     = "[hidden]" // Kafka's word for a value of type password
)

// login reads the one login module that Java allows.
func (r *propertyReader) login() (map[string]string, bool) {
	modules, err := parseJAAS(r.text(jaasConfig, ""))
	switch {
	case err != nil:
		r.bad(jaasConfig, hidden, err.Error())
		return nil, false
	case len(modules) == 0:
		r.bad(jaasConfig, hidden, "Login module not specified in JAAS config; a JAAS file of the JVM is not read here")
		return nil, false
	case len(modules) > 1:
		r.bad(jaasConfig, hidden, fmt.Sprintf("JAAS config property contains %d login modules, should be 1 module", len(modules)))
		return nil, false
	}
	m := modules[0]
	switch name := m.class[strings.LastIndexByte(m.class, '.')+1:]; name {
	case "PlainLoginModule", "ScramLoginModule", "OAuthBearerLoginModule":
	default:
		r.warn(jaasConfig, "its login module is not loaded, Java classes cannot be; its options are read as those of Kafka's own")
	}
	return m.options, true
}

// oauth reads where a token comes from: the properties of Kafka 4.1, else the options of the login module that were there
// before them.
func (r *propertyReader) oauth(s *Security, options map[string]string) {
	const retriever, endpoint = "sasl.oauthbearer.jwt.retriever.class", "sasl.oauthbearer.token.endpoint.url"
	class := r.text(retriever, "DefaultJwtRetriever")
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "DefaultJwtRetriever", "ClientCredentialsJwtRetriever":
	default:
		r.bad(retriever, class, "tokens are fetched by client credentials here, Java classes cannot be loaded")
	}
	o := OAuth{
		Endpoint:        r.text(endpoint, ""),
		ClientID:        r.text("sasl.oauthbearer.client.credentials.client.id", options["clientId"]),
		ClientSecret:    r.text("sasl.oauthbearer.client.credentials.client.secret", options["clientSecret"]),
		Scope:           r.text("sasl.oauthbearer.scope", options["scope"]),
		URLEncodeHeader: r.boolean("sasl.oauthbearer.header.urlencode", false),
		ConnectTimeout:  r.millis("sasl.login.connect.timeout.ms", defaultLoginTimeout),
		ReadTimeout:     r.millis("sasl.login.read.timeout.ms", defaultLoginTimeout),
		RetryPause:      r.millis("sasl.login.retry.backoff.ms", defaultRetryPause),
		RetryMost:       r.millis("sasl.login.retry.backoff.max.ms", defaultLoginBackoffMost),
		RefreshWindow:   r.fraction("sasl.login.refresh.window.factor", 0.8, 0.5, 1),
		RefreshBuffer:   time.Duration(r.number("sasl.login.refresh.buffer.seconds", 300, 0, 3600)) * time.Second,
		Extensions:      map[string]string{},
	}
	stores := map[string]string{}
	for name, value := range options {
		if key, ok := strings.CutPrefix(name, "extension_"); ok {
			o.Extensions[key] = value
		}
		if strings.HasPrefix(name, "ssl.") {
			stores[name] = value
		}
	}
	u, err := url.Parse(o.Endpoint)
	switch {
	case o.Endpoint == "":
		r.bad(endpoint, "null", "it must be given: tokens are fetched by client credentials here")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		r.bad(endpoint, hidden, "it must be an http or https URL")
	case o.ClientID == "" || o.ClientSecret == "":
		r.bad("sasl.oauthbearer.client.credentials.client.id", hidden, "client id and client secret must be given, here or as clientId and clientSecret in sasl.jaas.config")
	}
	if u != nil && u.Scheme == "https" {
		inner := &propertyReader{values: stores}
		o.TLS = &Security{TLS: true}
		inner.stores(o.TLS)
		inner.versions(o.TLS)
		r.invalid = append(r.invalid, inner.invalid...)
	}
	s.OAuth = o
}

// stores reads where certificates and keys are. What they hold shows when a client is made.
func (r *propertyReader) stores(s *Security) {
	s.TruststoreFile, s.TruststorePEM = r.text("ssl.truststore.location", ""), r.text("ssl.truststore.certificates", "")
	s.TruststorePassword = r.text("ssl.truststore.password", "")
	s.KeystoreFile, s.KeystorePEM = r.text("ssl.keystore.location", ""), r.text("ssl.keystore.certificate.chain", "")
	s.KeystorePassword = r.text("ssl.keystore.password", "")
	s.Key, s.KeyPassword = r.text("ssl.keystore.key", ""), r.text("ssl.key.password", "")
	// The Java client checks host names unless this is given and empty.
	const identify = "ssl.endpoint.identification.algorithm"
	if v, ok := r.values[identify]; ok {
		switch v = strings.TrimSpace(v); {
		case v == "":
			s.SkipHostname = true
		case !strings.EqualFold(v, "https"):
			r.bad(identify, v, "https, or nothing for no check of the host's name, is understood")
		}
	}
	for _, kind := range []string{"truststore", "keystore"} {
		r.store("ssl."+kind, kind == "keystore")
	}
	switch {
	case s.KeystorePEM != "" && s.Key == "":
		r.bad("ssl.keystore.key", hidden, "SSL certificate chain is specified, but private key is not specified")
	case s.KeystorePEM == "" && s.Key != "":
		r.bad("ssl.keystore.certificate.chain", hidden, "SSL private key is specified, but certificate chain is not specified.")
	}
}

// store checks what can be told of a store by its properties alone, as Kafka's DefaultSslEngineFactory does.
func (r *propertyReader) store(prefix string, keys bool) {
	kind, location, password := r.text(prefix+".type", ""), r.text(prefix+".location", ""), r.text(prefix+".password", "")
	isPEM := strings.EqualFold(kind, "PEM")
	switch {
	case kind != "" && !isPEM && !slices.Contains([]string{"JKS", "PKCS12", "P12"}, strings.ToUpper(kind)):
		r.bad(prefix+".type", kind, "JKS, PKCS12 and PEM can be read here")
	case location == "" && password != "":
		r.warn(prefix+".password", noEffectHere+prefix+".location is not given")
	case isPEM && password != "" && keys:
		r.warn(prefix+".password", noEffectHere+"a PEM store has none, ssl.key.password opens its key")
	case isPEM && password != "":
		r.warn(prefix+".password", noEffectHere+"a PEM store has none")
	case keys && location != "" && !isPEM && kind != "" && password == "":
		r.bad(prefix+".password", "null", "SSL key store is specified, but key store password is not specified.")
	}
}

// tlsVersions are the names of ssl.enabled.protocols.
var tlsVersions = map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}

func (r *propertyReader) versions(s *Security) {
	const name = "ssl.enabled.protocols"
	s.MinVersion, s.MaxVersion = tls.VersionTLS12, tls.VersionTLS13
	var offered []uint16
	given := r.text(name, "")
	if given == "" {
		return
	}
	for item := range strings.SplitSeq(given, ",") {
		switch item = strings.TrimSpace(item); item {
		case "TLSv1.2", "TLSv1.3":
			offered = append(offered, tlsVersions[item])
		case "SSLv2Hello", "SSLv3", "TLSv1", "TLSv1.1":
			r.warn(name, item+" is not spoken: it is broken, and switched off in today's JVMs too")
		case "":
		default:
			r.bad(name, given, item+" is not known; TLSv1.2 and TLSv1.3 are")
		}
	}
	if len(offered) == 0 {
		r.bad(name, given, "TLSv1.2 or TLSv1.3 must be among them")
		return
	}
	s.MinVersion, s.MaxVersion = slices.Min(offered), slices.Max(offered)
}

// suites reads ssl.cipher.suites. The suites of TLS 1.3 cannot be chosen one by one: naming none of them switches the
// version off, and naming only them switches the others off, as it comes out in Java.
func (r *propertyReader) suites(s *Security) {
	const name = "ssl.cipher.suites"
	given := r.text(name, "")
	if given == "" {
		return
	}
	newest := map[string]bool{}
	for item := range strings.SplitSeq(given, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		suite := suiteOf(item)
		switch {
		case suite == nil:
			r.warn(name, item+" is not known here and not offered")
		case suite.SupportedVersions[0] == tls.VersionTLS13:
			newest[suite.Name] = true
		default:
			s.CipherSuites = append(s.CipherSuites, suite.ID)
		}
	}
	switch {
	case len(newest) == 0:
		s.MaxVersion = min(s.MaxVersion, tls.VersionTLS12)
	case len(newest) < 3:
		r.warn(name, "the suites of TLS 1.3 cannot be chosen one by one: all of them are offered")
	}
	if len(s.CipherSuites) == 0 {
		s.MinVersion = max(s.MinVersion, tls.VersionTLS13)
	}
	if s.MinVersion > s.MaxVersion || len(newest)+len(s.CipherSuites) == 0 {
		r.bad(name, given, "there is none that is known here, for the versions in ssl.enabled.protocols")
	}
}

// suiteOf finds a suite by the name that IANA and Java have for it.
func suiteOf(name string) *tls.CipherSuite {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.Name == name || strings.Replace(name, "SSL_", "TLS_", 1) == suite.Name {
			return suite
		}
	}
	return nil
}
