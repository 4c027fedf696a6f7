package kafka

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialTimeoutMost bounds one attempt to connect; request.timeout.ms does where it is shorter.
const dialTimeoutMost = 10 * time.Second

type dialFunc func(ctx context.Context, network, host string) (net.Conn, error)

// dialer opens connections that hangUp closes: the client by itself does not end one on which it waits for a greeting.
func (p *Properties) dialer() (dialFunc, context.CancelFunc, error) {
	plain := &net.Dialer{Timeout: min(clampOverhead(p.RequestTimeout), dialTimeoutMost)}
	open := plain.DialContext
	if p.Security.TLS {
		config, err := p.Security.tlsConfig()
		if err != nil {
			return nil, nil, err
		}
		open = (&tls.Dialer{NetDialer: plain, Config: config}).DialContext
	}
	alive, hangUp := context.WithCancel(context.Background())
	return func(ctx context.Context, network, host string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, plain.Timeout)
		defer cancel()
		defer context.AfterFunc(alive, cancel)()
		conn, err := open(ctx, network, host)
		if err != nil {
			return nil, err
		}
		return &ownedConn{Conn: conn, forget: context.AfterFunc(alive, func() { conn.Close() })}, nil
	}, hangUp, nil
}

type ownedConn struct {
	net.Conn
	forget func() bool
}

func (c *ownedConn) Close() error {
	c.forget()
	return c.Conn.Close()
}
