// Package scenarios reads what the simulator runs: YAML files and a library of
// ready ones.
//
// A reader that takes what it does not understand gives figures of a mesh
// nobody asked for. So an unknown key, a key given twice, a value without its
// unit and an anchor are errors that name line and column, and [Set] names the
// key. Values are in the words of people: "30s", "5%", "10MB/s".
//
// It does not say which values are in range and fills no default: that is
// Scenario.Validate in package sim. It relies on goccy/go-yaml for the syntax
// tree only, and on the yaml tags of sim.Scenario for the keys.
package scenarios
