package netns

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Until asks again and again until try says yes, and gives up after within
// with the last it said.
func Until(within time.Duration, try func() (said string, yes bool)) error {
	limit := time.NewTimer(within)
	defer limit.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		said, yes := try()
		if yes {
			return nil
		}
		select {
		case <-limit.C:
			return fmt.Errorf("not within %v; the last word was: %s", within, said)
		case <-again.C:
		}
	}
}

// Each does the same with all of them at once and returns what went wrong.
func Each[T any](all []T, do func(T) error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { errs[i] = do(one) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
