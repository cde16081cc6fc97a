using System.Runtime.CompilerServices;

namespace Holdfast.Files.Selection;

/// <summary>A set of bytes, such as <c>[a-z]</c>: 256 bits.</summary>
[InlineArray(PatternProgram.WordsPerSet)]
internal struct PatternSet
{
    private ulong word0;

    /// <summary>The ASCII letter in upper and lower case.</summary>
    public static PatternSet BothCases(byte letter)
    {
        PatternSet set = default;
        set.Add(letter, letter);
        set.AddOtherCases();
        return set;
    }

    /// <summary>Reads a set, from '[' to ']'.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="position">At the '['; afterwards behind the ']'.</param>
    /// <param name="ignoreCase">Whether a letter brings its other case along.</param>
    /// <param name="set">The bytes that match.</param>
    /// <param name="error">Why it is no set.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> text, ref int position, bool ignoreCase, out PatternSet set, out string? error)
    {
        set = default;
        error = "the [ has no ]";
        int next = position + 1;
        bool negated = next < text.Length && text[next] is (byte)'!' or (byte)'^';
        if (negated) next++;

        // As in POSIX, a ']' in front is a member.
        for (bool first = true; ; first = false)
        {
            if (next >= text.Length) return false;
            if (text[next] == ']' && !first) break;
            if (text[next..].StartsWith("[:"u8) && ClassEnd(text, next) is var end and > 0)
            {
                if (!set.TryAddClass(text[(next + 2)..(end - 2)]))
                {
                    error = $"there is no class {BytePath.Display(text[next..end])}";
                    return false;
                }

                next = end;
                continue;
            }

            if (!TryReadByte(text, ref next, out byte low)) return false;
            byte high = low;
            if (next + 1 < text.Length && text[next] == '-' && text[next + 1] != ']')
            {
                next++;
                if (!TryReadByte(text, ref next, out high)) return false;
            }

            set.Add(low, high);
        }

        if (ignoreCase) set.AddOtherCases();
        if (negated) set.Invert();
        position = next + 1;
        return true;
    }

    private static bool TryReadByte(ReadOnlySpan<byte> text, ref int next, out byte value)
    {
        if (text[next] == '\\') next++;
        value = next < text.Length ? text[next] : (byte)0;
        return next++ < text.Length;
    }

    // Where "[:name:]" that begins here ends; -1 when it is an ordinary '[' in the set.
    private static int ClassEnd(ReadOnlySpan<byte> text, int start)
    {
        int bracket = text[(start + 2)..].IndexOf((byte)']');
        if (bracket < 1) return -1;
        int end = start + 2 + bracket + 1;
        return text[end - 2] == ':' ? end : -1;
    }

    private bool TryAddClass(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("digit"u8)) Add('0', '9');
        else if (name.SequenceEqual("lower"u8)) Add('a', 'z');
        else if (name.SequenceEqual("upper"u8)) Add('A', 'Z');
        else if (name.SequenceEqual("alpha"u8)) AddAll("AZaz"u8);
        else if (name.SequenceEqual("alnum"u8)) AddAll("09AZaz"u8);
        else if (name.SequenceEqual("xdigit"u8)) AddAll("09AFaf"u8);
        else if (name.SequenceEqual("blank"u8)) AddAll("  \t\t"u8);
        else if (name.SequenceEqual("space"u8)) AddAll("  \t\r"u8);
        else if (name.SequenceEqual("cntrl"u8)) AddAll([0, 0x1F, 0x7F, 0x7F]);
        else if (name.SequenceEqual("punct"u8)) AddAll("!/:@[`{~"u8);
        else if (name.SequenceEqual("graph"u8)) Add('!', '~');
        else if (name.SequenceEqual("print"u8)) Add(' ', '~');
        else return false;
        return true;
    }

    private void AddAll(ReadOnlySpan<byte> ranges)
    {
        for (int i = 0; i < ranges.Length; i += 2) Add(ranges[i], ranges[i + 1]);
    }

    private void Add(int low, int high)
    {
        for (int value = low; value <= high; value++) this[value >> 6] |= 1UL << (value & 63);
    }

    private void AddOtherCases()
    {
        // Letters lie in the second word, their cases 32 bits apart.
        const ulong upper = 0x07FF_FFFE, lower = upper << 32;
        ulong word = this[1];
        this[1] = word | (word & upper) << 32 | (word & lower) >> 32;
    }

    private void Invert()
    {
        for (int word = 0; word < PatternProgram.WordsPerSet; word++) this[word] = ~this[word];
    }
}
