package row

import (
	"fmt"
	"testing"
)

func TestNestedValuesHaveTheTextOfJavasMapsAndLists(t *testing.T) {
	var r Rows
	long := Value{Kind: Long, Num: 1}
	text := Value{Kind: String, Text: []byte("x, y")}
	list := r.NewList([]Value{long, {Kind: Null}, text})
	inner := r.NewObject([]Member{{[]byte("b"), list}, {[]byte("c"), Value{Kind: Bool, Num: 1}}})
	v := r.NewList([]Value{inner, list, r.NewObject(nil), r.NewList(nil)})
	const want = "[{b=[1, null, x, y], c=true}, [1, null, x, y], {}, []]"
	if got := string(r.AppendText(nil, &v)); got != want {
		t.Errorf("text %s, want %s", got, want)
	}
}

func TestAKeyThatComesTwiceKeepsItsPlaceAndTheLastValue(t *testing.T) {
	for _, n := range []int{2, fewMembers, fewMembers + 5} {
		var r Rows
		var members []Member
		for i := range n {
			members = append(members, Member{fmt.Appendf(nil, "k%d", i), Value{Kind: Long, Num: uint64(i)}})
		}
		members = append(members, Member{[]byte("k0"), Value{Kind: Long, Num: 99}})
		v := r.NewObject(members)
		got := r.MembersOf(&v)
		if len(got) != n || string(got[0].Key) != "k0" || got[0].Value.Num != 99 || string(got[n-1].Key) != fmt.Sprintf("k%d", n-1) {
			t.Errorf("%d members and k0 again: %+v", n, got)
		}
	}
}
