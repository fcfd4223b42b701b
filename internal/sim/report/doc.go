// Package report shows what a simulation found: the vocabulary of figures, in
// plain words and units, and one HTML file to look at.
//
// The file stands alone: no script, no font and no picture is fetched, so it
// can be mailed, archived and opened years later. Plots are SVG drawn here, in
// colours of the reader's light or dark theme that are told apart without
// seeing red from green (after Okabe and Ito, 2008), and by their dashes
// without any colour.
//
// It computes no figure and judges none: Result does both. It relies on
// html/template to escape whatever a scenario's author wrote.
package report
