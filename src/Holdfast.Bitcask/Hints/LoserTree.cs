using System.Runtime.CompilerServices;

namespace Holdfast.Bitcask.Hints;

/// <summary>
/// Finds the first of many sorted inputs again and again, by one comparison for each doubling of their number. Knuth,
/// The Art of Computer Programming, volume 3, section 5.4.1, "tree of losers".
/// </summary>
/// <typeparam name="TCursor">A place in an input.</typeparam>
/// <param name="count">How many inputs; 1 or more.</param>
internal sealed class LoserTree<TCursor>(int count)
    where TCursor : struct, IMergeCursor<TCursor>
{
    // losers[i] lost the game at inner node i, 1 to count − 1; input i plays first at node (count + i) / 2.
    private readonly int[] losers = new int[count];
    private readonly TCursor[] cursors = new TCursor[count];
    private int winner;

    /// <summary>The inputs. Set them, then call <see cref="Build"/>.</summary>
    public Span<TCursor> Cursors => cursors;

    /// <summary>The cursor that goes before all others. Move it on, then call <see cref="Replay"/>.</summary>
    public ref TCursor Winner => ref cursors[winner];

    /// <summary>Plays all games.</summary>
    public void Build()
    {
        Span<int> winners = count <= 128 ? stackalloc int[2 * count] : new int[2 * count];
        for (int i = 0; i < count; i++) winners[count + i] = i;
        for (int node = count - 1; node > 0; node--)
        {
            int left = winners[2 * node], right = winners[(2 * node) + 1];
            bool isRightFirst = cursors[right].IsBefore(cursors[left]);
            winners[node] = isRightFirst ? right : left;
            losers[node] = isRightFirst ? left : right;
        }

        winner = count == 1 ? 0 : winners[1];
    }

    /// <summary>Plays the games again in which the winner took part.</summary>
    public void Replay()
    {
        // Who wins is as good as random: chosen without a branch, it costs no wrong guess.
        int[] nodes = losers;
        TCursor[] places = cursors;
        int best = winner;
        for (int node = (count + best) >> 1; node > 0; node >>= 1)
        {
            int loser = nodes[node];
            int swap = (best ^ loser) & -Unsafe.BitCast<bool, byte>(places[loser].IsBefore(places[best]));
            nodes[node] = loser ^ swap;
            best ^= swap;
        }

        winner = best;
    }
}
