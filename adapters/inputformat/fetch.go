package inputformat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

// maxFetched bounds a file that is fetched.
const maxFetched = 64 << 20

// fetch reads what describes a format: a file's path, or a URL of the scheme file, http or https. Errors say what it is
// and never quote a URL's user and password.
func fetch(what, place string) ([]byte, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, fmt.Errorf("%s is no path and no URL", what)
	}
	switch u.Scheme {
	case "", "file":
		b, err := readFile(u.Path)
		if err != nil {
			return nil, fmt.Errorf("Cannot read %s file: %w", what, err) //nolint:staticcheck // Druid's words
		}
		return b, nil
	case "http", "https":
		ctx, cancel := context.WithTimeout(context.Background(), registryTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
		if err != nil {
			return nil, fmt.Errorf("%s is no URL that can be fetched", what)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			var asked *url.Error // quotes the URL
			if errors.As(err, &asked) {
				err = asked.Err
			}
			return nil, fmt.Errorf("fetch the %s from %s: %w", what, u.Host, err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("fetch the %s from %s: status %d", what, u.Host, res.StatusCode)
		}
		b, err := io.ReadAll(io.LimitReader(res.Body, maxFetched+1))
		if err != nil {
			return nil, fmt.Errorf("fetch the %s from %s: %w", what, u.Host, err)
		}
		if len(b) > maxFetched {
			return nil, fmt.Errorf("fetch the %s from %s: it has more than %d bytes", what, u.Host, maxFetched)
		}
		return b, nil
	}
	return nil, fmt.Errorf("%s: its URL must be of file, http or https", what)
}

// readFile reads a plain file of bounded size: a device may have no end.
func readFile(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxFetched {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, maxFetched)
	}
	return os.ReadFile(path)
}
