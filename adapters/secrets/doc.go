// Package secrets keeps passwords out of the log: a [Sealer] encrypts the secret values of a spec's consumerProperties
// before an event is made of it, and opens them where a Kafka client is made. What is stored, shown and sent between
// nodes is the sealed form. The key is the operator's: a file, or a variable of the environment.
//
// It imports the standard library only.
package secrets
