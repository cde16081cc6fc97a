using System.Text;
using Holdfast.Log;

namespace Holdfast.Vault.Checking;

/// <summary>Something wrong with one object, and what it affects as far as is known.</summary>
internal sealed class Finding(string objectName, string what)
{
    public string ObjectName { get; } = objectName;

    public string What { get; } = what;

    /// <summary>Numbers (<see cref="ChunkTable"/>) of the chunks that cannot be read because of it.</summary>
    public HashSet<int> Chunks { get; } = [];

    /// <summary>Whether another key may read the object: it need not be damaged.</summary>
    public bool DependsOnKey { get; set; }

    /// <summary>Who signed the object, where that is why nobody can say whether it is damaged: no certificate names that writer.</summary>
    public ulong? UnknownWriter { get; set; }

    /// <summary>Whether all that is known is that this key lacks the epoch in which it is sealed, or may be: no damage then, as far as this key can tell.</summary>
    public bool LacksEpoch { get; set; }

    /// <summary>Whether something was not found that may lie where this key cannot look.</summary>
    public bool IsAbsence { get; init; }

    /// <summary>Why nothing is affected, where that is known.</summary>
    public string? Reassurance { get; set; }

    public List<AffectedPath> Affected { get; } = [];

    public DamagedThing ToDamagedThing() =>
        new(ObjectName, Affected.Count == 0 && Reassurance is not null ? $"{What}; {Reassurance}" : What, Affected) { IsUnreadable = LacksEpoch };
}

/// <summary>Gathers what a check finds. May be used from any thread.</summary>
internal sealed class Findings(CheckRequest request)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string ObjectName, string What), Finding> findings = [];
    private readonly List<ItemNotice> notices = [];

    public List<ItemNotice> Notices
    {
        get
        {
            lock (gate) return [.. notices];
        }
    }

    /// <summary>All findings, by the names of objects.</summary>
    public List<Finding> All()
    {
        lock (gate)
        {
            List<Finding> all = [.. findings.Values];
            all.Sort(static (a, b) =>
            {
                int byName = string.CompareOrdinal(a.ObjectName, b.ObjectName);
                return byName != 0 ? byName : string.CompareOrdinal(a.What, b.What);
            });
            return all;
        }
    }

    /// <summary>Notes that something was not found where it should be.</summary>
    public Finding AddAbsence(string objectName, string what) => Add(objectName, what, isAbsence: true);

    /// <summary>Notes damage; once for the same thing.</summary>
    public Finding Add(string objectName, string what) => Add(objectName, what, isAbsence: false);

    private Finding Add(string objectName, string what, bool isAbsence)
    {
        Finding? finding;
        lock (gate)
        {
            if (findings.TryGetValue((objectName, what), out finding)) return finding;
            finding = new Finding(objectName, what) { IsAbsence = isAbsence };
            findings.Add((objectName, what), finding);
        }

        request.Progress.AddError();
        request.OnNotice?.Invoke(new ItemNotice(IsError: true, Encoding.ASCII.GetBytes(objectName), what));
        return finding;
    }

    /// <summary>Notes an error that says that bytes of an object are lost.</summary>
    /// <param name="objectName">The object.</param>
    /// <param name="error">What is wrong with it.</param>
    /// <param name="detail">What else is known of it, from its first punctuation mark on.</param>
    public Finding Add(string objectName, HoldfastException error, string? detail = null)
    {
        Finding finding = Add(objectName, What(objectName, error) + detail);
        finding.DependsOnKey |= error is DamageException { DependsOnKey: true };
        finding.UnknownWriter ??= (error as DamageException)?.UnknownWriter;
        finding.LacksEpoch |= error is DamageException { LacksEpoch: true };
        return finding;
    }

    /// <summary>Notes chunks that cannot be read because of what was found.</summary>
    public void AddChunks(Finding finding, IEnumerable<int> numbers)
    {
        lock (gate) finding.Chunks.UnionWith(numbers);
    }

    /// <summary>Notes what is no damage.</summary>
    public void Tell(string objectName, string what)
    {
        var notice = new ItemNotice(IsError: false, Encoding.ASCII.GetBytes(objectName), what);
        lock (gate) notices.Add(notice);
        request.OnNotice?.Invoke(notice);
    }

    private static string What(string objectName, HoldfastException error) => error switch
    {
        DamageException damage when damage.Thing == objectName => damage.What,
        _ => error.Message,
    };
}
