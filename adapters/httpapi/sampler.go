package httpapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
)

// Sampler shows what a spec would make of a few records of its topic. Every node that has one answers: nothing is decided.
type Sampler interface {
	// Sample returns Druid's answer, ready for JSON. An error with the method SampleError is the user's to read, see
	// [SampleError].
	Sample(ctx context.Context, req *spec.Sampler) (any, error)
}

// SampleError is implemented by the error of a sample that could not be taken; the text is Druid's `error`.
type SampleError interface{ SampleError() string }

// sample reads a few rows of a topic. What a supervisor would be refused for is refused here, too.
func (s *Server) sample(c echo.Context) error {
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	req, err := spec.ParseSampler(body)
	if err != nil {
		return err
	}
	if err := supported(req.Spec); err != nil {
		return err
	}
	req.Spec = req.Spec.WithWarnings(s.cfg.SpecWarnings(req.Spec))
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.cfg.CommandTimeout+req.Config.Timeout)
	defer cancel()
	answer, err := s.cfg.Sampler.Sample(ctx, req)
	if err != nil {
		return err
	}
	warn(c, req.Spec.Warnings())
	return writeJSON(c, http.StatusOK, answer)
}

// supported refuses a spec that asks for what is not carried out.
func supported(sp *spec.Supervisor) error {
	problems := sp.Unsupported()
	if len(problems) == 0 {
		return nil
	}
	return &spec.InvalidError{Message: problems[0].Path + ": " + problems[0].Message, Problems: problems}
}
