package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/commerce/lottery"
)

// maxProof is the size of the largest proof and timeline that are read, in bytes: MaxEntrants of 40 bytes, and room.
const maxProof = 256 << 20

func (p *program) lotteryCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "lottery", Short: "Check that nobody steered a lottery"}
	cmd.AddCommand(p.verifyCommand())
	return cmd
}

func (p *program) verifyCommand() *cobra.Command {
	var noted lottery.Published
	var timeline, entrant string
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Draw a lottery again from its proof, and say what does not fit", Args: cobra.ExactArgs(1),
		Long: `Draws a lottery again from its proof, which GET /api/v1/lotteries/ID/proof gives to everybody, and says in words what does
not fit. The file alone shows that the winners follow from it. That it is still the one of the show is shown by what you
noted while the lottery went on (--commitment, --entrants-hash), or by the show's timeline as you kept it (--timeline).`,
		Example: `  curl -O https://live.example.com/api/v1/lotteries/lot_0123456789abcdef/proof
  vitrine lottery verify proof
  vitrine lottery verify proof --commitment 5ba9… --entrants-hash 03fa… --entrant ent_41c8…`,
		RunE: func(_ *cobra.Command, args []string) error {
			var proof lottery.Proof
			if err := readJSON(args[0], &proof); err != nil {
				return err
			}
			wrong := append(proof.Verify(), proof.Compare(noted)...)
			if timeline != "" {
				told, err := readTold(timeline, proof.Lottery)
				if err != nil {
					return err
				}
				wrong = append(wrong, proof.CompareTimeline(told)...)
			}
			return p.verdict(&proof, wrong, entrant)
		},
	}
	cmd.Flags().StringVar(&noted.Commitment, "commitment", "", "the commitment, as you noted it at the opening")
	cmd.Flags().StringVar(&noted.EntrantsHash, "entrants-hash", "", "the hash of the entrants, as you noted it at the closing")
	cmd.Flags().StringVar(&timeline, "timeline", "", "the show's timeline.json, as you kept it")
	cmd.Flags().StringVar(&entrant, "entrant", "", "look for this entrant, yours, on the list")
	return cmd
}

// verdict prints what was found; what is wrong makes the command fail.
func (p *program) verdict(proof *lottery.Proof, wrong []string, entrant string) error {
	if entrant != "" && !slices.Contains(proof.Entrants, entrant) {
		wrong = append(wrong, fmt.Sprintf("%s is not among the entrants", entrant))
	}
	for _, w := range wrong {
		fmt.Fprintf(p.stdout, "WRONG  %s\n", w)
	}
	if len(wrong) > 0 {
		fmt.Fprintf(p.stdout, "The proof of %s does not hold.\n", proof.Lottery)
		return errReported
	}
	fmt.Fprintf(p.stdout, "%s, %q: %d entrants, %d winners.\n", proof.Lottery, proof.Title, len(proof.Entrants), len(proof.Winners))
	for _, w := range proof.Winners {
		you := ""
		if w.Entrant == entrant {
			you = "  <- you"
		}
		fmt.Fprintf(p.stdout, "  %3d  %s  %s  %s%s\n", w.Rank, w.Entrant, w.Prize, w.Name, you)
	}
	fmt.Fprintln(p.stdout, "The winners follow from the seed and the entrants.")
	return nil
}

// readTold returns the events about a lottery from a show's timeline.json.
func readTold(path, lotteryID string) ([]lottery.Told, error) {
	var doc struct {
		Events []struct {
			Type string          `json:"type"`
			Data json.RawMessage `json:"data"`
		} `json:"events"`
	}
	if err := readJSON(path, &doc); err != nil {
		return nil, err
	}
	var told []lottery.Told
	for _, e := range doc.Events {
		var t lottery.Told
		if e.Type == "lottery" && json.Unmarshal(e.Data, &t) == nil && t.ID == lotteryID {
			told = append(told, t)
		}
	}
	return told, nil
}

func readJSON(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	doc, err := io.ReadAll(io.LimitReader(f, maxProof))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(doc, into); err != nil {
		return errors.Join(fmt.Errorf("%s is not the JSON file that it should be", path), err)
	}
	return nil
}
