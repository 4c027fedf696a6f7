package kafka

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// saslMechanism is how to sign in; nil without SASL.
func (p *Properties) saslMechanism() (sasl.Mechanism, error) {
	s := p.Security
	login := scram.Auth{User: s.User, Pass: s.Password, IsToken: s.DelegationToken}
	var m sasl.Mechanism
	switch s.Mechanism {
	case mechanismPlain:
		m = plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()
	case mechanismScram256:
		m = login.AsSha256Mechanism()
	case mechanismScram512:
		m = login.AsSha512Mechanism()
	case mechanismOAuth:
		source, err := newTokenSource(s.OAuth, p.RequestTimeout)
		if err != nil {
			return nil, err
		}
		m = oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
			token, err := source.token(ctx)
			return oauth.Auth{Token: token, Extensions: s.OAuth.Extensions}, err
		})
	default:
		return nil, nil
	}
	return named{m}, nil
}

// named gives what goes wrong on our side of signing in the class that it has in Java: the client would take it for
// trouble with the network, and try until the time is up.
type named struct{ sasl.Mechanism }

// Authenticate implements sasl.Mechanism.
func (n named) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := n.Mechanism.Authenticate(ctx, host)
	if err != nil {
		return nil, nil, n.refused(err.Error(), err)
	}
	return namedSession{n, session}, first, nil
}

func (n named) refused(message string, err error) error {
	return streamError(classSASL, fmt.Sprintf("Authentication failed with SASL mechanism %s: %s", n.Name(), message), err)
}

type namedSession struct {
	named
	session sasl.Session
}

// Challenge implements sasl.Session.
func (s namedSession) Challenge(challenge []byte) (bool, []byte, error) {
	done, answer, err := s.session.Challenge(challenge)
	if err == nil {
		return done, answer, nil
	}
	// RFC 7628: a broker that takes no token says why in JSON.
	var refusal struct{ Status string }
	if s.Name() == mechanismOAuth && json.Unmarshal(challenge, &refusal) == nil && refusal.Status != "" {
		return false, nil, s.refused("the broker refuses the token: "+refusal.Status, err)
	}
	return false, nil, s.refused(err.Error(), err)
}
