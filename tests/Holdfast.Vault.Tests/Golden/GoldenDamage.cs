using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>Changes objects of a vault as a failing disk or a careless hand would. In names, {1} and {2} are sessions.</summary>
internal sealed class GoldenDamage(MemoryObjectStore store, SessionId first, SessionId second)
{
    public MemoryObjectStore Store => store;

    /// <summary>Flips one bit; a negative offset counts from the end.</summary>
    public void Flip(string name, int offset)
    {
        byte[] content = Read(name);
        content[offset < 0 ? content.Length + offset : offset] ^= 0x10;
        store.Overwrite(NameOf(name), content);
    }

    public void Set(string name, int offset, byte value)
    {
        byte[] content = Read(name);
        content[offset] = value;
        store.Overwrite(NameOf(name), content);
    }

    public void Truncate(string name, int removedBytes)
    {
        byte[] content = Read(name);
        store.Overwrite(NameOf(name), content[..Math.Max(0, content.Length - removedBytes)]);
    }

    public void Delete(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            Assert.True(store.DeleteAsync(NameOf(name), CancellationToken.None).GetAwaiter().GetResult(), name);
        }
    }

    public void Exchange(string one, string other)
    {
        (byte[] a, byte[] b) = (Read(one), Read(other));
        store.Overwrite(NameOf(one), b);
        store.Overwrite(NameOf(other), a);
    }

    private byte[] Read(string name) =>
        store.TryGetAsync(NameOf(name), IObjectStore.MaxObjectBytes, CancellationToken.None).GetAwaiter().GetResult()!;

    private string NameOf(string pattern) => pattern
        .Replace("{1}", first.ToString(), StringComparison.Ordinal)
        .Replace("{2}", second.ToString(), StringComparison.Ordinal);
}
