package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/domain/task"
)

// The exception classes that Druid shows for trouble with a stream.
const (
	ClassTimeout = "org.apache.kafka.common.errors.TimeoutException"
	ClassISE     = "org.apache.druid.java.util.common.ISE"

	classConfig       = "org.apache.kafka.common.config.ConfigException"
	classKafka        = "org.apache.kafka.common.KafkaException"
	classInvalidTopic = "org.apache.kafka.common.errors.InvalidTopicException"
	classSSL          = "org.apache.kafka.common.errors.SslAuthenticationException"
	classSASL         = "org.apache.kafka.common.errors.SaslAuthenticationException"
)

// StreamError is returned for everything that goes wrong between us and the cluster, in the words of Druid: what it
// records as a stream exception.
type StreamError struct {
	// ExceptionClass is the Java class of the cause.
	ExceptionClass string
	// Message is that of Druid's wrapper: the class, a colon, and the cause's message.
	Message string
	// Cause is our client's own error; nil where the cluster answered and we did not like the answer.
	Cause error
}

// Error returns Message.
func (e *StreamError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *StreamError) Unwrap() error { return e.Cause }

// ErrNoPartitions is wrapped by the StreamError for a topic that does not exist or has no partitions.
var ErrNoPartitions = errors.New("no partitions")

// ErrUnreachable is wrapped by the StreamError for a cluster that did not answer within default.api.timeout.ms.
var ErrUnreachable = errors.New("cluster unreachable")

// OutOfRangeError is returned by Consumer.Poll for a position that the partition does not have (any more, or yet).
type OutOfRangeError struct {
	Topic string
	// Name is the partition as the supervisor names it.
	Name      task.Partition
	Partition int32
	Offset    int64
	// Earliest and Latest are the partition's bounds as the broker gave them, -1 where it did not.
	Earliest, Latest int64
}

func (e *OutOfRangeError) Error() string {
	return fmt.Sprintf("offset %d of partition %d of topic %s is out of range [%d, %d]",
		e.Offset, e.Partition, e.Topic, e.Earliest, e.Latest)
}

// WantedOffset returns the position that is out of range, and Bounds the offsets that are not.
func (e *OutOfRangeError) WantedOffset() (p task.Partition, offset int64) {
	return e.Name, e.Offset
}

// Bounds returns the partition's earliest and latest offset, -1 where unknown.
func (e *OutOfRangeError) Bounds() (earliest, latest int64) { return e.Earliest, e.Latest }

// RecreatedError is returned by Consumer.Poll for a topic that has the same name as the one that was to be read, and is
// another one.
type RecreatedError struct {
	Topic string
	// Want is the id of the topic that was to be read, Got that of the one there is.
	Want, Got string
}

func (e *RecreatedError) Error() string {
	return fmt.Sprintf("topic %s was deleted and made anew: its id was %s and is %s", e.Topic, e.Want, e.Got)
}

// RecreatedTopic returns the topic's name.
func (e *RecreatedError) RecreatedTopic() string { return e.Topic }

func streamError(class, message string, cause error) *StreamError {
	return &StreamError{ExceptionClass: class, Message: class + ": " + message, Cause: cause}
}

func noPartitions(topic string) *StreamError {
	return streamError(ClassISE, fmt.Sprintf("No partitions found for stream [%s]", topic), ErrNoPartitions)
}

// classes has the Java class and message for the error codes that a user can do something about.
var classes = map[int16]struct{ class, message string }{
	kerr.InvalidTopicException.Code:      {classInvalidTopic, "Topic '%s' is invalid"},
	kerr.TopicAuthorizationFailed.Code:   {"org.apache.kafka.common.errors.TopicAuthorizationException", "Not authorized to access topics: [%s]"},
	kerr.ClusterAuthorizationFailed.Code: {"org.apache.kafka.common.errors.ClusterAuthorizationException", "Not authorized to access the cluster of topic [%s]"},
	kerr.SaslAuthenticationFailed.Code:   {classSASL, "Authentication failed reading topic [%s]"},
	kerr.UnsupportedSaslMechanism.Code:   {"org.apache.kafka.common.errors.UnsupportedSaslMechanismException", "The broker does not take this SASL mechanism, reading topic [%s]"},
}

// wrapStream turns an error of the client into Druid's words. what completes "Timeout expired while ".
func wrapStream(topic, what string, err error) error {
	var known *StreamError
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, ErrClosed) || errors.Is(err, kgo.ErrClientClosed) {
		return fmt.Errorf("%s: %w", what, ErrClosed)
	}
	var code *kerr.Error
	if errors.As(err, &code) {
		if said, ok := brokersWord(err, code); ok && code.Code == kerr.SaslAuthenticationFailed.Code {
			return streamError(classSASL, said, err)
		}
		if c, ok := classes[code.Code]; ok {
			return streamError(c.class, fmt.Sprintf(c.message, topic), err)
		}
	}
	if isTLS(err) {
		return streamError(classSSL, "SSL handshake failed", err)
	}
	if code != nil && !code.Retriable {
		return streamError(classKafka, fmt.Sprintf("%s: %s", what, code.Description), err)
	}
	// Whatever is left was tried again until the time was up: a dead port, a broker that does not answer, a name that
	// does not resolve, a partition without a leader.
	return streamError(ClassTimeout, "Timeout expired while "+what, fmt.Errorf("%w: %w", ErrUnreachable, err))
}

// brokersWord is what a broker wrote beside an error's code, which the client puts behind the code's own text.
func brokersWord(err error, code *kerr.Error) (string, bool) {
	_, said, ok := strings.Cut(err.Error(), code.Error()+": ")
	return said, ok && said != ""
}

// isTLS tells trouble that is about certificates or versions: ours with the broker's, or, as an alert, the broker's with
// ours.
func isTLS(err error) bool {
	var alert *net.OpError
	if errors.As(err, &alert) && alert.Op == "remote error" {
		return true
	}
	var (
		record   tls.RecordHeaderError
		verify   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
	)
	return errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &hostname)
}
