// Package pb holds the messages of the wire as buf generates them from
// mesh.proto. Package mesh alone uses it, and offers plain Go types in its
// place; it does nothing else, and relies on the protobuf runtime only.
package pb
