package kafka

import (
	"cmp"
	"slices"
	"strings"
)

// Effect says what becomes of a consumer property.
type Effect string

// The effects. A property of none of Kafka's names is as one without a counterpart: a warning, and no effect.
const (
	// Mapped means that it does here what it does in the Java client, or the Note says what.
	Mapped Effect = "mapped"
	// NoEffect means that leaving it out changes nothing: it steers what does not exist here.
	NoEffect Effect = "without effect"
	// NotPossible means that it cannot be done here: a warning says so.
	NotPossible Effect = "warning"
)

// Property is what becomes of one property of Kafka's consumer.
type Property struct {
	Name   string
	Effect Effect
	// Note completes the property's line in the documentation; that of a NotPossible one is the reason in its warning.
	Note string
	// Harmless are values of a NotPossible property that ask for what is done anyway, in any case of letters.
	Harmless []string
}

const (
	noGroup     = "tasks are assigned their partitions, no consumer group is joined"
	noJava      = "Java classes cannot be loaded"
	noMetrics   = "Ogham keeps metrics of its own"
	ownRandom   = "the system's source of randomness is used"
	kerberos    = "only GSSAPI reads it, which is refused"
	brokerSide  = "only brokers check tokens here"
	jwtBearer   = "only the JwtBearerJwtRetriever reads it, which is refused"
	asDruidSets = "Druid sets it for its tasks, whatever the spec says"
)

// KnownProperties has a line for each consumer property of Kafka 4.1, and Druid's own, by name.
var KnownProperties = slices.SortedFunc(slices.Values([]Property{
	{Name: "allow.auto.create.topics", Effect: Mapped},
	{Name: "auto.commit.interval.ms", Effect: NoEffect, Note: "offsets are committed with the segments"},
	{Name: "auto.offset.reset", Effect: NoEffect, Note: asDruidSets + " (`none`): see `resetOffsetAutomatically`"},
	{Name: "bootstrap.servers", Effect: Mapped, Note: "required; a listener's name before a host (`SSL://host:9093`) is left out"},
	{Name: "check.crcs", Effect: Mapped},
	{
		Name: "client.dns.lookup", Effect: NotPossible, Note: "all addresses of a name are tried, and names are used as they stand",
		Harmless: []string{"use_all_dns_ips", "default"},
	},
	{Name: "client.id", Effect: Mapped},
	{Name: "client.rack", Effect: Mapped},
	{Name: "connections.max.idle.ms", Effect: Mapped, Note: "from 100 to 900000; default 30000 here"},
	{Name: "default.api.timeout.ms", Effect: Mapped},
	{Name: "druid.dynamic.config.provider", Effect: Mapped, Note: "types `environment` and `mapString`"},
	{Name: "enable.auto.commit", Effect: NoEffect, Note: asDruidSets + " (`false`)"},
	{Name: "enable.metrics.push", Effect: NoEffect, Note: noMetrics},
	{Name: "exclude.internal.topics", Effect: NoEffect, Note: "it is about subscriptions of consumer groups"},
	{Name: "fetch.max.bytes", Effect: Mapped, Note: "default 2 MiB here: a task is meant to live in little memory"},
	{Name: "fetch.max.wait.ms", Effect: Mapped, Note: "at least 10"},
	{Name: "fetch.min.bytes", Effect: Mapped},
	{Name: "group.id", Effect: NoEffect, Note: noGroup},
	{Name: "group.instance.id", Effect: NoEffect, Note: noGroup},
	{Name: "group.protocol", Effect: NoEffect, Note: noGroup},
	{Name: "group.remote.assignor", Effect: NoEffect, Note: noGroup},
	{Name: "heartbeat.interval.ms", Effect: NoEffect, Note: noGroup},
	{Name: "interceptor.classes", Effect: NotPossible, Note: noJava},
	{Name: "internal.leave.group.on.close", Effect: NoEffect, Note: noGroup},
	{Name: "internal.throw.on.fetch.stable.offset.unsupported", Effect: NoEffect, Note: noGroup},
	{Name: "isolation.level", Effect: Mapped, Note: "default `read_committed`, as Druid sets it"},
	{Name: "key.deserializer", Effect: NotPossible, Note: "keys are read as bytes, " + noJava, Harmless: byteDeserializers},
	{Name: "max.partition.fetch.bytes", Effect: Mapped, Note: "default 512 KiB here"},
	{Name: "max.poll.interval.ms", Effect: NoEffect, Note: noGroup},
	{Name: "max.poll.records", Effect: Mapped, Note: "default here: all that a fetch brought"},
	{Name: "metadata.max.age.ms", Effect: NoEffect, Note: asDruidSets + " (10000)"},
	{Name: "metadata.recovery.rebootstrap.trigger.ms", Effect: NoEffect, Note: "the client goes back to `bootstrap.servers` as soon as no other broker answers"},
	{
		Name: "metadata.recovery.strategy", Effect: NotPossible, Note: "the client always goes back to bootstrap.servers when no other broker answers",
		Harmless: []string{"rebootstrap"},
	},
	{Name: "metric.reporters", Effect: NotPossible, Note: noJava, Harmless: []string{"org.apache.kafka.common.metrics.JmxReporter"}},
	{Name: "metrics.num.samples", Effect: NoEffect, Note: noMetrics},
	{Name: "metrics.recording.level", Effect: NoEffect, Note: noMetrics},
	{Name: "metrics.sample.window.ms", Effect: NoEffect, Note: noMetrics},
	{Name: "partition.assignment.strategy", Effect: NoEffect, Note: noGroup},
	{Name: "receive.buffer.bytes", Effect: Mapped, Note: "default: the system's"},
	{Name: "reconnect.backoff.max.ms", Effect: Mapped},
	{Name: "reconnect.backoff.ms", Effect: Mapped},
	{Name: "request.timeout.ms", Effect: Mapped, Note: "from 100 to 900000"},
	{Name: "retry.backoff.max.ms", Effect: Mapped},
	{Name: "retry.backoff.ms", Effect: Mapped},
	{Name: "sasl.client.callback.handler.class", Effect: NotPossible, Note: noJava + "; user and password come from sasl.jaas.config"},
	{Name: "sasl.jaas.config", Effect: Mapped, Note: "one login module, as in Java; never from a file of the JVM"},
	{Name: "sasl.kerberos.kinit.cmd", Effect: NoEffect, Note: kerberos},
	{Name: "sasl.kerberos.min.time.before.relogin", Effect: NoEffect, Note: kerberos},
	{Name: "sasl.kerberos.service.name", Effect: NoEffect, Note: kerberos},
	{Name: "sasl.kerberos.ticket.renew.jitter", Effect: NoEffect, Note: kerberos},
	{Name: "sasl.kerberos.ticket.renew.window.factor", Effect: NoEffect, Note: kerberos},
	{Name: "sasl.login.callback.handler.class", Effect: NotPossible, Note: noJava, Harmless: loginHandlers},
	{Name: "sasl.login.class", Effect: NotPossible, Note: noJava},
	{Name: "sasl.login.connect.timeout.ms", Effect: Mapped, Note: "of the token endpoint; default 10000 here"},
	{Name: "sasl.login.read.timeout.ms", Effect: Mapped, Note: "of the token endpoint; default 10000 here"},
	{Name: "sasl.login.refresh.buffer.seconds", Effect: Mapped},
	{Name: "sasl.login.refresh.min.period.seconds", Effect: NoEffect, Note: "a token is fetched when one is needed, not in the background"},
	{Name: "sasl.login.refresh.window.factor", Effect: Mapped},
	{Name: "sasl.login.refresh.window.jitter", Effect: NoEffect, Note: "a token is fetched when one is needed, not in the background"},
	{Name: "sasl.login.retry.backoff.max.ms", Effect: Mapped},
	{Name: "sasl.login.retry.backoff.ms", Effect: Mapped},
	{Name: "sasl.mechanism", Effect: Mapped, Note: "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`; another one, and so Java's default `GSSAPI`, is an error"},
	{Name: "sasl.oauthbearer.assertion.algorithm", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.claim.aud", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.claim.exp.seconds", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.claim.iss", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.claim.jti.include", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.claim.nbf.seconds", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.claim.sub", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.file", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.private.key.file", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.private.key.passphrase", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.assertion.template.file", Effect: NoEffect, Note: jwtBearer},
	{Name: "sasl.oauthbearer.client.credentials.client.id", Effect: Mapped, Note: "or `clientId` in `sasl.jaas.config`"},
	{Name: "sasl.oauthbearer.client.credentials.client.secret", Effect: Mapped, Note: "or `clientSecret` in `sasl.jaas.config`"},
	{Name: "sasl.oauthbearer.clock.skew.seconds", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.expected.audience", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.expected.issuer", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.header.urlencode", Effect: Mapped},
	{Name: "sasl.oauthbearer.jwks.endpoint.refresh.ms", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.jwks.endpoint.url", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.jwt.retriever.class", Effect: Mapped, Note: "`DefaultJwtRetriever` and `ClientCredentialsJwtRetriever`; another one is an error"},
	{Name: "sasl.oauthbearer.jwt.validator.class", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.scope", Effect: Mapped, Note: "or `scope` in `sasl.jaas.config`"},
	{Name: "sasl.oauthbearer.scope.claim.name", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.sub.claim.name", Effect: NoEffect, Note: brokerSide},
	{Name: "sasl.oauthbearer.token.endpoint.url", Effect: Mapped, Note: "`http` and `https`; `file` is an error, since whoever posts a spec chooses the broker that a token goes to"},
	{Name: "security.protocol", Effect: Mapped},
	{Name: "security.providers", Effect: NotPossible, Note: noJava},
	{Name: "send.buffer.bytes", Effect: Mapped, Note: "default: the system's"},
	{Name: "session.timeout.ms", Effect: NoEffect, Note: noGroup},
	{Name: "share.acknowledgement.mode", Effect: NoEffect, Note: noGroup},
	{Name: "socket.connection.setup.timeout.max.ms", Effect: Mapped},
	{Name: "socket.connection.setup.timeout.ms", Effect: Mapped},
	{Name: "ssl.cipher.suites", Effect: Mapped, Note: "those of TLS 1.2 and older; the suites of TLS 1.3 are taken or left together"},
	{Name: "ssl.enabled.protocols", Effect: Mapped, Note: "`TLSv1.2` and `TLSv1.3`; older ones are left out with a warning, as a JVM does"},
	{Name: "ssl.endpoint.identification.algorithm", Effect: Mapped, Note: "`https`, or empty: the certificate is checked, the host's name is not"},
	{Name: "ssl.engine.factory.class", Effect: NotPossible, Note: noJava},
	{Name: "ssl.key.password", Effect: Mapped, Note: "a password provider may stand here"},
	{Name: "ssl.keymanager.algorithm", Effect: NotPossible, Note: noJava, Harmless: []string{"SunX509", "NewSunX509", "PKIX"}},
	{Name: "ssl.keystore.certificate.chain", Effect: Mapped},
	{Name: "ssl.keystore.key", Effect: Mapped, Note: "PKCS #8, also encrypted (PBES2); PKCS #1 and SEC 1 too"},
	{Name: "ssl.keystore.location", Effect: Mapped, Note: "a file on each node that runs the overlord or a worker, read again when it changes"},
	{Name: "ssl.keystore.password", Effect: Mapped, Note: "a password provider may stand here"},
	{Name: "ssl.keystore.type", Effect: Mapped, Note: "`JKS`, `PKCS12`, `PEM`; what the store is, its content tells"},
	{Name: "ssl.protocol", Effect: NoEffect, Note: "`ssl.enabled.protocols` says what is spoken"},
	{Name: "ssl.provider", Effect: NotPossible, Note: noJava, Harmless: []string{"SunJSSE"}},
	{Name: "ssl.secure.random.implementation", Effect: NoEffect, Note: ownRandom},
	{Name: "ssl.trustmanager.algorithm", Effect: NotPossible, Note: noJava, Harmless: []string{"PKIX", "SunX509"}},
	{Name: "ssl.truststore.certificates", Effect: Mapped},
	{Name: "ssl.truststore.location", Effect: Mapped, Note: "as `ssl.keystore.location`; without any truststore the system's certificates count, where Java has its own"},
	{Name: "ssl.truststore.password", Effect: Mapped, Note: "a password provider may stand here"},
	{Name: "ssl.truststore.type", Effect: Mapped, Note: "as `ssl.keystore.type`"},
	{Name: "value.deserializer", Effect: NotPossible, Note: "records are read as bytes, " + noJava, Harmless: byteDeserializers},
}), func(a, b Property) int { return cmp.Compare(a.Name, b.Name) })

// byteDeserializers hand over bytes as they are, which is what happens here in any case.
var byteDeserializers = []string{"org.apache.kafka.common.serialization.ByteArrayDeserializer"}

// loginHandlers fetch a token by client credentials, which is done here.
var loginHandlers = []string{
	"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
	"org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
}

func propertyOf(name string) (Property, bool) {
	i, ok := slices.BinarySearchFunc(KnownProperties, name, func(p Property, name string) int { return cmp.Compare(p.Name, name) })
	if !ok {
		return Property{}, false
	}
	return KnownProperties[i], true
}

// warning is due for a property that was given this value, or not.
func (p Property) warning(value string) (string, bool) {
	if p.Effect != NotPossible || strings.TrimSpace(value) == "" {
		return "", false
	}
	for item := range strings.SplitSeq(value, ",") {
		harmless := func(v string) bool { return strings.EqualFold(v, strings.TrimSpace(item)) }
		if !slices.ContainsFunc(p.Harmless, harmless) {
			return p.Note, true
		}
	}
	return "", false
}
