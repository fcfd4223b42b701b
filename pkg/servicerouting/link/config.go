package link

import "time"

// Config of a Link. DefaultConfig fills it.
type Config struct {
	// Window is the number of payload bytes that the neighbour may have on the
	// way to us. Default 4 MiB, at least 2 MiB, so that a large frame fits.
	Window uint64
	// MaxQueue is the number of payload bytes that wait to be sent. Default 4 MiB.
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

// Stats describe a link.
type Stats struct {
	Queued    int    // payload bytes that wait
	Credit    uint64 // payload bytes that may be sent now
	FramesIn  uint64
	FramesOut uint64
	BytesIn   uint64
	BytesOut  uint64
	Dropped   uint64 // answers, for want of room
	Busy      uint64 // frames refused, or given back, for want of room or credit
	RTT       time.Duration
	Suspect   bool
}
