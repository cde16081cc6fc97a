namespace Holdfast.Cli;

/// <summary>What damage that a verb met in a vault on its way may have done to its result.</summary>
internal enum DamageReach
{
    /// <summary>The result may lack something, or rest on something that is not known.</summary>
    Result = 0,

    /// <summary>The result is whole, but of a point that need not be the one that was meant, where one cannot be read.</summary>
    Choice = 1,

    /// <summary>Nothing: the result is whole, as everything in it was verified or stored anew.</summary>
    Nothing = 2,
}
