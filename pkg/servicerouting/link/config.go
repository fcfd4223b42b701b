package link

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Config of a Link. DefaultConfig fills it.
type Config struct {
	// Window is the number of frame bytes that the neighbour may have sent and
	// that were not released, as the Welcome granted. Default 4 MiB, at least
	// MinWindow.
	Window uint64
	// MaxQueue is the number of bytes of units that wait to be sent, and 256
	// more for each. The memory for them is at most twice that.
	// Default 4 MiB; less than the largest frame and 64 KiB counts as that.
	MaxQueue int
	// MaxControl is the same for answers, and for control. More answers are
	// dropped and counted; more control ends the link. Default 1 MiB.
	MaxControl int
	// RetainBytes are kept after writing, for 2 s at most, for frames that must
	// go another way. Default 256 KiB.
	RetainBytes int
	// RelayWait is how long a frame of another node may wait for credit; then it
	// is given back as busy. Default 100 ms.
	RelayWait time.Duration
	// Suspect and Cut are the times without progress, while something is
	// awaited, after which the link is suspect, and cut. Default 1 s and 3 s.
	Suspect, Cut time.Duration
	// IdlePing is the time without a sign of life after which an idle link is
	// probed. Default 5 s.
	IdlePing time.Duration
	// OnRoom is called when there is room again after Send has said busy.
	OnRoom func()
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// DefaultConfig gives the defaults.
func DefaultConfig() Config {
	return Config{
		Window: 4 << 20, MaxQueue: 4 << 20, MaxControl: 1 << 20, RetainBytes: 256 << 10,
		RelayWait: 100 * time.Millisecond, Suspect: time.Second, Cut: 3 * time.Second,
		IdlePing: 5 * time.Second, Now: time.Now,
	}
}

const (
	// MinWindow is the least that a node grants: the largest frame fits while
	// a quarter of the window is on its way back.
	MinWindow = 2 << 20
	minQueue  = mesh.MaxFrame + 64<<10
)

// Validate names the first field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.Window < MinWindow:
		return fmt.Errorf("link: Window is %d bytes: need at least %d", c.Window, MinWindow)
	case c.MaxControl < 64<<10:
		return fmt.Errorf("link: MaxControl is %d bytes: need at least %d", c.MaxControl, 64<<10)
	case c.RetainBytes < 0:
		return fmt.Errorf("link: RetainBytes is %d: need 0 or more", c.RetainBytes)
	case c.RelayWait <= 0:
		return fmt.Errorf("link: RelayWait is %s: need more than 0", c.RelayWait)
	case c.Suspect <= 0 || c.Cut <= c.Suspect:
		return fmt.Errorf("link: Suspect is %s and Cut %s: need 0 < Suspect < Cut", c.Suspect, c.Cut)
	case c.IdlePing <= 0:
		return fmt.Errorf("link: IdlePing is %s: need more than 0", c.IdlePing)
	case c.Now == nil:
		return fmt.Errorf("link: Now is not set")
	}
	return nil
}

// Stats describe a link.
type Stats struct {
	Queued    int    // bytes that wait, as Link.Queued
	Credit    uint64 // frame bytes that may be sent now
	FramesIn  uint64
	FramesOut uint64
	BytesIn   uint64
	BytesOut  uint64
	Dropped   uint64 // answers, for want of room
	Busy      uint64 // frames refused, or given back, for want of room or credit
	Unknown   uint64 // units of a later version
	Suspects  uint64 // times that the link became suspect
	RTT       time.Duration
	LastRecv  time.Time // of the last unit
	Suspect   bool
}
