// Package lottery draws winners that nobody can choose and everybody can recompute: the seed is fixed by a published hash
// before the first viewer enters, the list of entrants is fixed by another before the seed is known, and the winners
// follow from both. It knows neither HTTP nor SQL.
package lottery
