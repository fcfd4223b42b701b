// Package ledger remembers which messages the services of this node have
// begun and finished, so that a message that comes again has no second effect.
//
// It is pure bookkeeping in memory: no goroutine, no lock, no clock, no IO.
// The caller holds a lock around it, passes the time in, verifies a message
// before entering it, and refuses an expired one.
//
// An entry goes through these states:
//
//	        Begin                Finish
//	absent ───────► begun ──────────────────► done, or failed for good
//	  ▲               │ Finish, retryable              │
//	  ├───────────────┘                                │
//	  └──────────── Sweep, after expiry + Grace ◄──────┘
//
// A store on disk fits behind the same methods. It adds what memory cannot
// have: Begin and Finish return once the step is written, and an entry that
// is found begun after a crash answers Begin again, marked as redelivered,
// because its handler may have acted already.
package ledger
