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

    public bool Contains(int number) => (words[number / 64] & (1UL << (number % 64))) != 0;
}
