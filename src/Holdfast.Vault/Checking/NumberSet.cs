namespace Holdfast.Vault.Checking;

/// <summary>A set of numbers below a limit: one bit each. For one thread at a time.</summary>
internal sealed class NumberSet(int limit)
{
    private readonly ulong[] words = new ulong[(limit / 64) + 1];

    /// <summary>False when the number was there already.</summary>
    public bool Add(int number)
    {
        ulong bit = 1UL << (number % 64);
        bool isNew = (words[number / 64] & bit) == 0;
        words[number / 64] |= bit;
        return isNew;
    }

    /// <summary>Adds <paramref name="first"/> + i for each bit i of a bitmap that is set and below <paramref name="count"/>.</summary>
    public void AddAll(int first, int count, ReadOnlySpan<ulong> bitmap)
    {
        int shift = first % 64;
        for (int i = 0; i < bitmap.Length && i * 64 < count; i++)
        {
            ulong bits = bitmap[i];
            if (count - (i * 64) < 64) bits &= (1UL << (count - (i * 64))) - 1;
            int word = (first / 64) + i;
            words[word] |= bits << shift;
            // What goes beyond the word; a shift by 64 would be none.
            if (shift > 0 && bits >> (64 - shift) is > 0 and ulong rest) words[word + 1] |= rest;
        }
    }

    public bool Contains(int number) => (words[number / 64] & (1UL << (number % 64))) != 0;
}
