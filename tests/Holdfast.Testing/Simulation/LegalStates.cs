using System.Text;

namespace Holdfast.Testing.Simulation;

/// <summary>Every state that a power cut may leave of a disk.</summary>
/// <remarks>
/// All combinations of what may survive, where there are at most <see cref="MaxCombinations"/>. Beyond that: nothing
/// and everything, with and without the length; every beginning of the changes; every single loss; every pair of
/// losses; and <see cref="DrawnStates"/> drawn by chance. Of many changes, beginnings, losses and pairs are taken at
/// even distances. Files that no surviving name leads to have no content to choose: whatever an unnamed file holds, it
/// is one state. The same holds for a file whose only name is a staging one, since nobody opens it. The text of a
/// lock's file is taken as durable at once, so that it makes no states either: it means something only while the lock
/// is held, and no power cut leaves a lock.
/// </remarks>
internal static class LegalStates
{
    public const int MaxCombinations = 2048;
    public const int DrawnStates = 32;
    private const int MaxSingles = 32;
    private const int MaxInPairs = 8;

    /// <summary>The states, those with different names or content once each.</summary>
    /// <param name="names">The disk as it is.</param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <param name="isAll">Whether these are all.</param>
    public static Dictionary<string, NameTree> Of(NameTree names, int seed, out bool isAll)
    {
        IEnumerable<NameTree>? all = All(names);
        isAll = all is not null;
        var states = new Dictionary<string, NameTree>(StringComparer.Ordinal);
        foreach (NameTree state in all ?? Some(names, seed)) states.TryAdd(Fingerprint(state), state);
        return states;
    }

    /// <summary>Equal for disks with the same names, links and content; times are not looked at.</summary>
    public static string Fingerprint(NameTree names)
    {
        var text = new StringBuilder();
        var firstPaths = new Dictionary<Node, string>();
        foreach ((string path, Node node) in names.All().OrderBy(entry => entry.Path, StringComparer.Ordinal))
        {
            string what = !firstPaths.TryAdd(node, path) ? $"= {firstPaths[node]}"
                : node is FileNode file ? file.Content.Fingerprint()
                : "/";
            text.Append(path).Append(' ').AppendLine(what);
        }

        return text.ToString();
    }

    /// <summary>All states; null where there are too many.</summary>
    private static List<NameTree>? All(NameTree names)
    {
        var states = new List<NameTree>();
        var choices = new EveryChoice();
        do
        {
            states.Add(names.AfterCrash(choices));
            if (states.Count > MaxCombinations || choices.Combinations > MaxCombinations) return null;
        }
        while (choices.Advance());

        return states;
    }

    private static IEnumerable<NameTree> Some(NameTree names, int seed)
    {
        var everything = new LosingChoices(_ => false);
        yield return names.AfterCrash(everything);
        yield return names.AfterCrash(new LosingChoices(_ => false, keepsLength: false));
        yield return names.AfterCrash(new LosingChoices(_ => true));
        yield return names.AfterCrash(new LosingChoices(_ => true, keepsLength: false));
        int count = everything.Asked;
        foreach (int i in Spread(count, MaxSingles))
        {
            yield return names.AfterCrash(new LosingChoices(change => change >= i));
            yield return names.AfterCrash(new LosingChoices(change => change == i));
        }

        int[] paired = [.. Spread(count, MaxInPairs)];
        foreach (int i in paired)
        {
            foreach (int k in paired)
            {
                yield return names.AfterCrash(new LosingChoices(change => change == i || change == k));
            }
        }

        var random = new Random(seed);
        for (int i = 0; i < DrawnStates; i++) yield return names.AfterCrash(new RandomChoices(random));
    }

    /// <summary>All numbers below a count, or so many at even distances.</summary>
    private static IEnumerable<int> Spread(int count, int most) =>
        count <= most
            ? Enumerable.Range(0, count)
            : Enumerable.Range(0, most).Select(i => (int)((long)i * (count - 1) / (most - 1)));
}
