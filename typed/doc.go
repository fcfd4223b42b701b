// Package typed puts Go values over a node: what is sent is encoded by its
// type, what comes is decoded by its content type, and both are validated.
//
//   - []byte and string go as they are,
//   - a proto.Message as protobuf,
//   - anything else as JSON, in which unknown fields are errors of nobody.
//
// It adds nothing to how messages travel; options are those of the node.
package typed
