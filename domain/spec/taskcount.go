package spec

// ParseStored reads a spec that was accepted before. It differs from Parse in one thing: the taskCount of a supervisor
// with an autoscaler is the one that the autoscaler left, and not the one to begin with. Druid 33 loses it at every
// restart.
func ParseStored(body []byte) (*Supervisor, error) {
	s, err := Parse(body)
	if err != nil {
		return nil, err
	}
	if given := s.IOConfig.givenTaskCount; given != nil {
		s = s.scaledTo(*given)
	}
	return s, nil
}

// Following is the spec as an update of the running one: an autoscaler goes on from where it is. As in Druid 37
// (SeekableStreamSupervisorSpec.merge) taskCountStart comes first, then a taskCount that was given, then the running one;
// a count beyond the bounds of the new spec is moved to the nearer one.
func (s *Supervisor) Following(running *Supervisor) *Supervisor {
	switch {
	case !s.IOConfig.Scales() || s.IOConfig.AutoScalerConfig.TaskCountStart != nil:
		return s
	case s.IOConfig.givenTaskCount != nil:
		return s.scaledTo(*s.IOConfig.givenTaskCount)
	}
	return s.scaledTo(running.IOConfig.TaskCount)
}

// scaledTo is the spec with this taskCount, or the nearest that its autoscaler may choose.
func (s *Supervisor) scaledTo(n int) *Supervisor {
	if !s.IOConfig.Scales() {
		return s
	}
	a := s.IOConfig.AutoScalerConfig
	return s.WithTaskCount(min(max(n, a.TaskCountMin), a.TaskCountMax))
}

// WithTaskCount returns the same spec with another taskCount.
func (s *Supervisor) WithTaskCount(n int) *Supervisor {
	c := *s
	c.IOConfig.TaskCount = n
	c.ioTree = s.ioTree.with("taskCount", integer(n))
	return &c
}

// Scales says whether the supervisor has an autoscaler that is enabled.
func (c IOConfig) Scales() bool {
	return c.AutoScalerConfig != nil && c.AutoScalerConfig.EnableTaskAutoScaler
}

// AllowedStops is how many groups may finish at once because their time is over.
func (c IOConfig) AllowedStops() int {
	if c.Scales() && c.AutoScalerConfig.StopTaskCountRatio != nil {
		return max(1, int(float64(c.TaskCount)**c.AutoScalerConfig.StopTaskCountRatio))
	}
	if c.StopTaskCount != nil {
		return *c.StopTaskCount
	}
	return c.TaskCount
}

// firstTaskCount is where a supervisor that was just made begins.
func (a *AutoScalerConfig) firstTaskCount() int {
	if a.TaskCountStart != nil {
		return *a.TaskCountStart
	}
	return a.TaskCountMin
}
